export {
  type Algorithm,
  allowedCardActions,
  type Card,
  type CardAction,
  type CardView,
  IMPORTABLE_ALGORITHMS,
  type KeyStrategy,
  keyStrategyWarning,
  type ReissueState,
  whyNoAnswer,
  whyNoKeyChange,
  whyNoReissue,
  whyNotTakenOver,
} from './card.ts';
export {
  ENROLMENT_METHODS,
  type EnrolmentMethod,
  type EnrolmentRules,
  INITIAL_PINS,
  type InitialPin,
} from './enrolment-methods.ts';
export { cardUnknown, type MoveCardPorts, moveCard } from './move-card.ts';
export type {
  BeginTakeOver,
  CardChange,
  CardEnding,
  CardFilters,
  CardProfileView,
  CardRecords,
  CardViews,
  CertificateRevoker,
  KeyOrigin,
  NewCard,
  ProfileViews,
} from './ports.ts';
export { createRegistration, type Registration } from './register-card.ts';
export { planKey } from './registration-plan.ts';
export { CARD_SERIAL_RANDOM_BYTES, makeCardSerial } from './serial.ts';
export { CARD_STATES, type CardAct, type CardState, demandTransition, stateAfter } from './state.ts';
