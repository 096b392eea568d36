import type { Revocation } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Time } from '../ui/Time.tsx';

/** Whether the CA has heard of a decision; and while it has not, how often it was asked and what it said last. */
export function Telling(props: {
  told: Pick<Revocation, 'attempts' | 'lastError' | 'nextAttemptAt' | 'createdAt' | 'confirmedAt'>;
  authority: string;
  overtaken?: boolean;
}) {
  const { attempts, lastError, nextAttemptAt, createdAt, confirmedAt } = props.told;
  if (props.overtaken) return t.certificates.overtaken;
  if (confirmedAt !== null) {
    return (
      <>
        {t.certificates.heard} <Time at={confirmedAt} exact />
      </>
    );
  }
  return (
    <>
      {t.certificates.waits(props.authority)} <Time at={createdAt} exact />
      {attempts > 0 ? `, ${t.certificates.triedInVain(attempts)}` : null}
      {nextAttemptAt !== null && attempts > 0 ? (
        <>
          , {t.certificates.nextTry} <Time at={nextAttemptAt} exact />
        </>
      ) : null}
      {lastError === null ? null : (
        <span className="soft">
          {' '}
          {lastError.detail} <code>{lastError.code}</code>
        </span>
      )}
    </>
  );
}
