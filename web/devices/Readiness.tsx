import type { DeviceDetail } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { StateBadge } from '../ui/StateBadge.tsx';
import { Time } from '../ui/Time.tsx';
import './readiness.css';

type Report = NonNullable<DeviceDetail['report']>;

/** What is wrong stands first: who looks here wants to know what to do. */
const GRAVITY: Readonly<Record<string, number>> = { problem: 0, warning: 1, ok: 2 };

/** How ready for cards the device found itself when its agent last looked (`cardwright-agent doctor`). */
export function Readiness({ report }: { report: DeviceDetail['report'] }) {
  if (report === null) return <p className="empty">{t.readiness.none}</p>;
  const findings = [...report.findings].sort((a, b) => (GRAVITY[a.level] ?? 0) - (GRAVITY[b.level] ?? 0));
  return (
    <>
      <p>
        <StateBadge state={report.level} /> {t.readiness.lead} <Time at={report.checkedAt} />
      </p>
      <ul className="findings" aria-label={t.readiness.title}>
        {findings.map((finding) => (
          <li key={`${finding.check} ${finding.message}`}>
            <Finding finding={finding} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Finding({ finding }: { finding: Report['findings'][number] }) {
  return (
    <>
      <StateBadge state={finding.level} />
      <div>
        <p>{finding.message}</p>
        {finding.advice === null ? null : <p className="hint">{finding.advice}</p>}
      </div>
    </>
  );
}
