import type { NewLifeCycleAct } from '../app/contract.ts';

export type LifeCycleAct = NewLifeCycleAct['act'];

/** What something happened to. */
export interface Subject {
  readonly kind: 'card' | 'device' | 'person';
  readonly id: string;
}

/** Where another card may follow, or not, as the operator says; and what is meant where nothing is said. */
export const REISSUE_ASKED: Readonly<Partial<Record<LifeCycleAct, boolean>>> = {
  'device-lost': true,
  'device-stolen': true,
  'device-handed-over': false,
};
