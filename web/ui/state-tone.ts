export type Tone = 'good' | 'attention' | 'bad' | 'quiet';

const TONES: Readonly<Record<string, Tone>> = {
  active: 'good',
  completed: 'good',
  worked: 'good',
  done: 'good',
  confirmed: 'good',
  ok: 'good',
  up: 'good',
  blocked: 'attention',
  suspended: 'attention',
  requested: 'attention',
  open: 'attention',
  answered: 'attention',
  claimed: 'attention',
  proposed: 'attention',
  offered: 'attention',
  queued: 'attention',
  delivered: 'attention',
  'on-hold': 'attention',
  planned: 'attention',
  running: 'attention',
  pending: 'attention',
  decided: 'attention',
  warning: 'attention',
  lost: 'bad',
  compromised: 'bad',
  revoked: 'bad',
  failed: 'bad',
  refused: 'bad',
  problem: 'bad',
  down: 'bad',
};

/** How a state of any record is toned; what is over, or not known here, is quiet. */
export function stateTone(state: string): Tone {
  return TONES[state] ?? 'quiet';
}
