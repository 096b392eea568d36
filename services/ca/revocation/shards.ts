/**
 * Which of its issuer's CRLs a certificate is listed in: by the last two bytes of its serial number, which are random,
 * hence evenly. The database finds the same number when a change of status is recorded (ca.record_status_change).
 * @param shards how many CRLs the issuer has, 1 to 256
 */
export function shardOf(serialNumber: Uint8Array, shards: number): number {
  const [high = 0, low = 0] = serialNumber.subarray(-2);
  return (high * 256 + low) % shards;
}
