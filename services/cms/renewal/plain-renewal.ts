import { createHash } from 'node:crypto';
import { type CertificateOrder, effectiveRule, makeOrder } from '../certificate-profiles/index.ts';
import { assuranceOfRenewal, csrHash, type IssuanceRequest, type IssuedChain } from '../certificates/index.ts';
import { keyFor, MAX_A_DAY, renewableFrom } from './policy.ts';
import type { DeviceIntent, RenewalPorts, WantedRenewal } from './ports.ts';

/**
 * The usual case of a renewal, in three statements: one certificate in its container, nothing under way, no evidence of the
 * TPM. Any other case, and whatever is not as it should be, is left to the long way, which says why it refuses.
 * @returns null for that, with nothing done.
 * @throws DomainError `csr-*`; those of the order's names; and once it is proposed, those of the CA.
 */
export async function renewPlainly(
  ports: RenewalPorts,
  intent: DeviceIntent,
  cardId: string,
  wanted: WantedRenewal,
): Promise<(IssuedChain & { readonly certificateId: string }) | null> {
  const { plain, reader, runtime, authorities, issuance } = ports;
  if (wanted.evidence !== null) return null;
  const now = runtime.now();
  const { container, replaces: old } = wanted;
  const facts = await plain.read({ card: cardId, device: intent.actor.id, container, old, now });
  if (facts === null || facts.others > 0 || facts.recent >= MAX_A_DAY || facts.profileVersion === null) return null;
  const profile = await ports.profileVersion(facts.container.certificateProfile, facts.profileVersion);
  if (profile === null || !profile.keyTypes.some((type) => type === facts.container.keyType)) return null;
  const rule = effectiveRule(facts.container, profile);
  const policy = { ...rule, keyType: facts.container.keyType };
  const isDue = now >= renewableFrom(facts, policy, facts.requestedAt);
  if (!isDue || (rule.attestation ?? facts.cardAttestation) === 'required') return null;

  const csr = wanted.csr ?? new Uint8Array(facts.csr);
  await reader.judgeRequest(csr, policy.keyType);
  const publicKeyHash = createHash('sha256').update(reader.publicKeyOf(csr)).digest();
  const key = facts.publicKeyHash !== null && publicKeyHash.equals(facts.publicKeyHash) ? 'same' : 'new';
  if (facts.publicKeyHash === null || (key === 'same' && keyFor(policy, facts, now) === 'new')) return null;
  const assurance = assuranceOfRenewal(facts.assurance, { key, attested: false, signedByOld: false });
  const ordered = makeOrder(profile, facts.container, facts.person, facts.hostName);

  const certificateId = runtime.newId();
  const request = runtime.newId();
  const entry = (action: string, after: Record<string, unknown>) => ({
    action,
    object: { kind: 'certificate', id: certificateId },
    about: { certificateId, cardId, deviceId: intent.actor.id, personId: facts.personId, enrolmentId: null },
    after: { container, ...after },
  });
  const { name, version, authority } = profile;
  const told = { authority, certificateProfile: name, certificateProfileVersion: version, assurance };
  const proposed = await plain.propose({
    ...{
      request,
      container,
      old,
      card_version: facts.cardVersion,
      now,
      profile: name,
      profile_version: version,
      authority,
    },
    ...{ assurance, ordered, csr, csrHash: csrHash(csr), publicKeyHash },
    ...{ intent, entry: entry('certificate.requested', told) },
  });
  if (!proposed) return null;
  const settled = async () => {
    const given = await issuance.settle(intent, certificateId);
    await ports.revocations.confirmAll(intent, [certificateId]);
    return { ...given, certificateId };
  };
  const issued = await authorities
    .of(authority)
    .issue(requestOf(ordered, request, csr))
    .catch(() => null);
  // Asked again there, by the same id, which ends the same and records why.
  if (issued === null) return settled();
  const described = reader.describe(issued.certificate);
  const { serialNumber, thumbprint, notAfter } = described;
  const ignored = issued.ignored.length === 0 ? {} : { ignored: issued.ignored };
  const outcome = { serialNumber, thumbprint, notAfter: notAfter.toISOString(), ...ignored };
  const recorded = await plain.record({
    ...{ issued: described, ignored: issued.ignored, intent, entry: entry('certificate.issued', outcome) },
  });
  // Somebody else recorded it, or it is to be revoked already.
  return recorded ? { ...issued, certificateId } : settled();
}

function requestOf(order: CertificateOrder, requestId: string, csr: Uint8Array): IssuanceRequest {
  const { kind, commonName, organization, userPrincipalName, kerberosPrincipal, email, dnsNames } = order;
  return {
    ...{ requestId, csr, renewal: true, profile: kind },
    subject: { commonName, ...(organization === null ? {} : { organization }) },
    subjectAltName: { userPrincipalName, kerberosPrincipal, email, dnsNames },
    securityIdentifier: order.securityIdentifier,
    validitySeconds: order.validitySeconds,
  };
}
