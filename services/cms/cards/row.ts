import { ALGORITHMS, type Card, KEY_STRATEGIES } from './card.ts';
import { CARD_STATES } from './state.ts';

/** A card as the database gives it: the sets are open there in type, and closed by its checks. */
export interface CardRow extends Omit<Card, 'kind' | 'algorithm' | 'challengeMode' | 'keyStrategy' | 'state'> {
  readonly kind: string;
  readonly algorithm: string;
  readonly challengeMode: string;
  readonly keyStrategy: string;
  readonly state: string;
}

export function toCard(row: CardRow): Card {
  const {
    id,
    serial,
    personId,
    deviceId,
    profileName,
    keyVersion,
    keySetAt,
    takeOverPending,
    namedKey,
    hasPuk,
    pukShownAt,
    nvIndex,
    pinLimit,
    triesLeft,
    createdAt,
    stateChangedAt,
  } = row;
  return {
    id,
    serial,
    personId,
    deviceId,
    profileName,
    kind: member(['tpm', 'minidriver'] as const, row.kind),
    algorithm: member(ALGORITHMS, row.algorithm),
    challengeMode: member(['ecb', 'cbc'] as const, row.challengeMode),
    keyStrategy: member(KEY_STRATEGIES, row.keyStrategy),
    keyVersion,
    keySetAt,
    takeOverPending,
    namedKey,
    hasPuk,
    pukShownAt,
    state: member(CARD_STATES, row.state),
    nvIndex,
    pinLimit,
    triesLeft,
    createdAt,
    stateChangedAt,
  };
}

function member<const Values extends readonly string[]>(values: Values, value: string): Values[number] {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new Error(`the database has "${value}" where one of ${values.join(', ')} belongs`);
  return found;
}
