import type { ApiError } from '../app/api-error.ts';
import type { CardProfile } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Choice } from '../ui/Choice.tsx';
import { VerificationFields } from '../unblock/VerificationFields.tsx';
import { methodOf, type TypedMethod, wantsVerification } from './enrolment-method.ts';

/** By which of its profile's ways a card is enrolled, and how the operator made sure who the person is, where one vouches. */
export function EnrolmentMethodFields(props: {
  profile: CardProfile;
  typed: TypedMethod;
  onChange: (typed: TypedMethod) => void;
  attempted: boolean;
  refused: ApiError | undefined;
}) {
  const { profile, typed, refused } = props;
  const set = (some: Partial<TypedMethod>) => props.onChange({ ...typed, ...some });
  return (
    <>
      {profile.enrolmentMethods.length > 1 ? (
        <Choice
          label={t.enrolments.method}
          options={profile.enrolmentMethods.map((value) => ({ value, ...t.cardProfiles.methods[value] }))}
          value={methodOf(profile, typed)}
          onChange={(method) => set({ method })}
          error={refused?.field('method')}
        />
      ) : null}
      {wantsVerification(profile, typed) ? (
        <>
          <p className="lead">{t.enrolments.verificationWhat}</p>
          <VerificationFields
            method={typed.verified}
            evidence={typed.evidence}
            onMethod={(verified) => set({ verified })}
            onEvidence={(evidence) => set({ evidence })}
            attempted={props.attempted}
            refused={{ evidence: refused?.field('verification/evidence') }}
          />
        </>
      ) : null}
    </>
  );
}
