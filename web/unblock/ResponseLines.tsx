import { useState } from 'react';
import { ToggleButton } from 'react-aria-components/ToggleButton';
import { en as t } from '../texts/en.ts';
import { inGroups } from '../ui/format.ts';
import { minutesAndSeconds } from './countdown.ts';
import { ResponseQr } from './ResponseQr.tsx';
import { spokenWords } from './spoken.ts';

/**
 * A response to be read aloud: a line at a time, large, in groups of four, in words and as a QR code when asked for.
 * Masked when its time is over.
 * @param lines null once they are masked; `lineCount` keeps the place of what was there
 */
export function ResponseLines(props: { lines: readonly string[] | null; secondsLeft: number }) {
  const [spoken, setSpoken] = useState(false);
  const [scanned, setScanned] = useState(false);
  const over = props.lines === null || props.secondsLeft === 0;
  return (
    <div className="response">
      <div className="response-bar">
        <ToggleButton className="button button-secondary" isSelected={spoken} onChange={setSpoken}>
          {t.unblock.spokenAlphabet}
        </ToggleButton>
        {over ? null : (
          <ToggleButton className="button button-secondary" isSelected={scanned} onChange={setScanned}>
            {t.unblock.qr}
          </ToggleButton>
        )}
        <span
          role="timer"
          aria-label={t.unblock.validFor}
          className={props.secondsLeft < 60 ? 'timer timer-low' : 'timer'}
        >
          {over ? t.unblock.over : t.unblock.left(minutesAndSeconds(props.secondsLeft))}
        </span>
      </div>
      {over ? (
        <div role="alert" className="problem">
          <p className="problem-detail">{t.unblock.responseOver}</p>
        </div>
      ) : null}
      <ol className={over ? 'response-lines masked' : 'response-lines'} aria-label={t.unblock.response}>
        {(over ? [t.unblock.masked] : (props.lines ?? [])).map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
          <li key={index}>
            <span className="groups">
              {inGroups(line)
                .split(' ')
                .map((group, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a group is its place
                  <span key={at} className="group">
                    <span className="group-characters">{group}</span>
                    {spoken && !over ? (
                      <span className="group-words">{spokenWords(group, t.spoken).join(' ')}</span>
                    ) : null}
                  </span>
                ))}
            </span>
          </li>
        ))}
      </ol>
      {scanned && !over && props.lines !== null ? <ResponseQr lines={props.lines} /> : null}
    </div>
  );
}
