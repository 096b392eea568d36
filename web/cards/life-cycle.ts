/** Where in its life a card stands. The usual path, with what may take the place of a stage on it. */
export interface Stage {
  readonly state: string;
  readonly phase: 'past' | 'current' | 'future';
}

const PATH: readonly string[] = ['requested', 'created', 'active', 'retired', 'destroyed'];
/** States beside the path, and the stage whose place they take. */
const BESIDE: Readonly<Record<string, string>> = {
  blocked: 'active',
  suspended: 'active',
  lost: 'retired',
  compromised: 'retired',
};

/** The stages of a card in this state, in their order. An unknown state is shown alone rather than guessed at. */
export function lifeCycle(state: string): Stage[] {
  const place = BESIDE[state] ?? state;
  const at = PATH.indexOf(place);
  if (at < 0) return [{ state, phase: 'current' }];
  return PATH.map((stage, index) => ({
    state: index === at ? state : stage,
    phase: index < at ? 'past' : index === at ? 'current' : 'future',
  }));
}
