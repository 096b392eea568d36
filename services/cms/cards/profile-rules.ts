import { DomainError } from '@cardwright/protocol';
import { DEFAULT_PIN_POLICY, type PinPolicy, pinPolicyProblem } from '@cardwright/protocol/pin';
import type { CertificateProfiles } from '../certificate-profiles/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import { DEFAULT_ENROLMENT_RULES, type EnrolmentRules, enrolmentRulesProblem } from './enrolment-methods.ts';
import type { CardProfileView } from './ports.ts';

/** What a profile of TPM cards says and may say otherwise later. What is left out is as usual. */
export interface TpmRulesInput {
  readonly pinLimit?: number | undefined;
  readonly pinPolicy?: Partial<PinPolicy> | undefined;
  readonly containers?: CardProfileView['containers'] | undefined;
  readonly attestation?: CardProfileView['attestation'] | undefined;
  readonly selfServiceUnblock?: boolean | undefined;
  readonly enrolmentMethods?: EnrolmentRules['enrolmentMethods'] | undefined;
  readonly initialPin?: EnrolmentRules['initialPin'] | undefined;
  readonly signerAssurance?: EnrolmentRules['signerAssurance'] | undefined;
}

export type TpmRules = Pick<CardProfileView, keyof TpmRulesInput>;

export const PIN_LIMIT = 5;
const CONTAINERS: CardProfileView['containers'] = [
  { container: 'sign-in', keyType: 'ec-p256', certificateProfile: 'smart-card-sign-in' },
];

export const enrolmentRulesOf = (input: Pick<TpmRulesInput, keyof EnrolmentRules>): EnrolmentRules => ({
  enrolmentMethods: input.enrolmentMethods ?? DEFAULT_ENROLMENT_RULES.enrolmentMethods,
  initialPin: input.initialPin ?? DEFAULT_ENROLMENT_RULES.initialPin,
  signerAssurance: input.signerAssurance ?? DEFAULT_ENROLMENT_RULES.signerAssurance,
});

export const tpmRulesOf = (input: TpmRulesInput): TpmRules => ({
  pinLimit: input.pinLimit ?? PIN_LIMIT,
  pinPolicy: { ...DEFAULT_PIN_POLICY, ...input.pinPolicy },
  containers: input.containers ?? CONTAINERS,
  attestation: input.attestation ?? 'preferred',
  selfServiceUnblock: input.selfServiceUnblock ?? false,
  ...enrolmentRulesOf(input),
});

/**
 * Whether cards could be made by such rules.
 * @throws DomainError, of kind `unprocessable`: `pin-policy-impossible`, `card-profile-enrolment` (methods and initial PIN
 *   don't go together), `card-profile-containers` (two of one name, a certificate profile that is not there or takes no such
 *   key, a longer life than it gives). A renewal window that is too long is half of the life: see renewal/policy.ts.
 */
export async function judgeTpmRules(
  rules: TpmRules,
  certificateProfiles: Pick<CertificateProfiles, 'findIn'>,
  tx: Tx,
): Promise<void> {
  const problem = pinPolicyProblem({ ...DEFAULT_PIN_POLICY, ...rules.pinPolicy });
  if (problem !== undefined) throw refused('pin-policy-impossible', '/pinPolicy', `No PIN fits the policy. ${problem}`);
  const enrolment = enrolmentRulesProblem(rules);
  if (enrolment !== undefined) throw refused('card-profile-enrolment', `/${enrolment.field}`, enrolment.why);
  const names = rules.containers.map(({ container }) => container);
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
  if (twice >= 0) throw wrongContainer(twice, 'container', 'Each container has a name of its own.');
  const found = new Map<string, Awaited<ReturnType<CertificateProfiles['findIn']>>>();
  for (const [at, container] of rules.containers.entries()) {
    const name = container.certificateProfile;
    if (!found.has(name)) found.set(name, await certificateProfiles.findIn(tx, name));
    const profile = found.get(name) ?? null;
    if (profile === null) throw wrongContainer(at, 'certificateProfile', 'There is no such certificate profile.');
    if (!profile.keyTypes.some((type) => type === container.keyType)) {
      throw wrongContainer(at, 'keyType', `The certificate profile ${name} takes ${profile.keyTypes.join(', ')}.`);
    }
    if ((container.validitySeconds ?? 0) > profile.validitySeconds) {
      const detail = `The certificate profile ${name} gives ${profile.validitySeconds} seconds: say as many or fewer.`;
      throw wrongContainer(at, 'validitySeconds', detail);
    }
  }
}

const wrongContainer = (at: number, field: string, detail: string) =>
  refused('card-profile-containers', `/containers/${at}/${field}`, detail);

export function refused(code: string, pointer: string, detail: string): DomainError {
  return new DomainError('unprocessable', code, detail, { fields: [{ pointer, detail }] });
}
