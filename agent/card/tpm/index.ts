export { Hardware } from './hardware.ts';
export { tpmCardMaker } from './maker.ts';
export { openSealed } from './sealed.ts';
