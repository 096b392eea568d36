export { tpmCardMaker } from './maker.ts';
