import type { NewRevocationBatch } from '../app/contract.ts';
import type { Picked } from '../search/RecordPicker.tsx';

export const BYS = ['person', 'card', 'device', 'profile', 'list'] as const;
export type By = (typeof BYS)[number];

/** Which certificates, as the form holds it. */
export interface TypedSelection {
  readonly by: By;
  readonly subject: Picked | null;
  readonly profile: string;
  readonly list: string;
}
export const NO_SELECTION: TypedSelection = { by: 'person', subject: null, profile: '', list: '' };

const SUBJECT_FIELD = { person: 'personId', card: 'cardId', device: 'deviceId' } as const;

/** @returns null while something is missing: the form says so at its field, and nothing is sent. */
export function selectionOf({ by, subject, profile, list }: TypedSelection): NewRevocationBatch['select'] | null {
  if (by === 'list') return list.trim() === '' ? null : { list };
  const certificateProfile = profile === '' ? {} : { certificateProfile: profile };
  if (by === 'profile') return profile === '' ? null : certificateProfile;
  return subject === null ? null : { [SUBJECT_FIELD[by]]: subject.id, ...certificateProfile };
}
