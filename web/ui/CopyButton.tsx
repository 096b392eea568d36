import { useState } from 'react';
import { en as t } from '../texts/en.ts';
import { Button } from './Button.tsx';

/** Puts a text on the clipboard and says whether it worked (browsers refuse it on plain http). */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [outcome, setOutcome] = useState<'copied' | 'refused' | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome('copied');
    } catch {
      setOutcome('refused');
    }
  };
  return (
    <span className="copy">
      <Button onPress={() => void copy()}>{label}</Button>
      <span role="status" className="hint">
        {outcome === null ? '' : outcome === 'copied' ? t.common.copied : t.common.copyRefused}
      </span>
    </span>
  );
}
