import { useEffect, useRef, useState } from 'react';
import { Group } from 'react-aria-components/Group';
import { ToggleButton } from 'react-aria-components/ToggleButton';
import type { Person } from '../app/contract.ts';
import { en as t } from '../texts/en.ts';
import { Button } from '../ui/Button.tsx';
import { CopyButton } from '../ui/CopyButton.tsx';
import { Time } from '../ui/Time.tsx';
import { spokenWords } from '../unblock/spoken.ts';
import { HandOverCode } from './HandOverCode.tsx';
import './enrolment-code.css';

/** An enrolment code, large and in its groups, to be read out or copied. It can't be shown again. */
export function EnrolmentCode(props: {
  code: string;
  /** where the first PIN is handed over: what opens it */
  handOverCode?: string | null;
  expiresAt: string;
  person: Pick<Person, 'displayName'>;
  onDone: () => void;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [spoken, setSpoken] = useState(false);
  useEffect(() => heading.current?.focus(), []);
  const groups = props.code.split('-');
  return (
    <section className="enrolment-code" aria-label={t.enrolments.codeTitle(props.person.displayName)}>
      <h3 ref={heading} tabIndex={-1}>
        {t.enrolments.codeTitle(props.person.displayName)}
      </h3>
      <p className="hint">{t.enrolments.codeOnce}</p>
      <Group className="groups" aria-label={t.enrolments.code}>
        {groups.map((group, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a group is its place
          <span key={index} className="group">
            <span className="group-characters">
              {group}
              {index < groups.length - 1 ? <span className="dash">-</span> : null}
            </span>
            {spoken ? <span className="group-words">{spokenWords(group, t.spoken).join(' ')}</span> : null}
          </span>
        ))}
      </Group>
      <p>
        {t.enrolments.expires} <Time at={props.expiresAt} />
      </p>
      <pre className="command">{t.enrolments.command(window.location.origin)}</pre>
      {props.handOverCode ? <HandOverCode code={props.handOverCode} person={props.person} /> : null}
      <div className="actions">
        <CopyButton text={props.code} label={t.enrolments.copy} />
        <ToggleButton className="button button-secondary" isSelected={spoken} onChange={setSpoken}>
          {t.unblock.spokenAlphabet}
        </ToggleButton>
        <Button onPress={props.onDone}>{t.enrolments.codeDone}</Button>
      </div>
    </section>
  );
}
