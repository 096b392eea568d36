const PRIMES = smallPrimes(167).map((prime) => ({ prime: BigInt(prime), powers: powersOf65537(prime) }));

export const hasSmallFactor = (modulus: bigint): boolean => PRIMES.some(({ prime }) => modulus % prime === 0n);

/**
 * The fingerprint of the RSA keys that Infineon TPMs and cards made until 2017 (CVE-2017-15361, "ROCA"): their modulus is
 * a power of 65537 modulo every small prime. Such a key can be factored from the certificate alone, and this is a system
 * for just that hardware. A sound key matches by chance less than once in 2^80.
 */
export const looksLikeRoca = (modulus: bigint): boolean =>
  PRIMES.every(({ prime, powers }) => powers.has(Number(modulus % prime)));

function powersOf65537(prime: number): Set<number> {
  const step = 65537 % prime;
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * step) % prime) powers.add(power);
  return powers;
}

function smallPrimes(limit: number): number[] {
  const primes: number[] = [];
  for (let n = 2; n <= limit; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}
