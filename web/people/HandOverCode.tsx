import type { Person } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';

/** The code that opens a sealed first PIN. It goes to the person by another way than the device, so it can be printed. */
export function HandOverCode({ code, person }: { code: string; person: Pick<Person, 'displayName'> }) {
  return (
    <section className="hand-over" aria-label={t.enrolments.handOver}>
      <div className="printed">
        <h4>{t.enrolments.handOverFor(person.displayName)}</h4>
        <p className="code-large">{code}</p>
        <p>{t.enrolments.handOverWhat}</p>
        <pre className="command">cardwright-agent hand-over</pre>
      </div>
      <p className="hint">{t.enrolments.handOverOnce}</p>
      <div className="actions">
        <Button onPress={() => window.print()}>{t.enrolments.handOverPrint}</Button>
      </div>
    </section>
  );
}
