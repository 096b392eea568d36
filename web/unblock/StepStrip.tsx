import { en as t } from '../texts/en.ts';
import { STEPS, type WizardState } from './wizard-state.ts';

/** Where in the wizard the operator is. */
export function StepStrip({ step }: { step: WizardState['step'] }) {
  const at = step === 'closed' ? STEPS.length : STEPS.indexOf(step);
  return (
    <ol className="step-strip" aria-label={t.unblock.steps}>
      {STEPS.map((name, index) => (
        <li
          key={name}
          className={index < at ? 'past' : index === at ? 'current' : 'future'}
          aria-current={index === at ? 'step' : undefined}
        >
          <span className="step-number" aria-hidden="true">
            {index < at ? '✓' : index + 1}
          </span>
          {t.unblock.stepNames[name]}
        </li>
      ))}
    </ol>
  );
}
