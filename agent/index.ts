/** What tests and benchmarks may use of the agent; the product itself is `bin/cardwright-agent.mjs`. */
export * from './card/port.ts';
export { tpmCardMaker } from './card/tpm/index.ts';
export { certificationRequest, certificationRequestInfo } from './enrolment/csr.ts';
export { openReaders } from './pcsc/readers.socket.ts';
export { httpServer, type ServerOptions } from './server/server.http.ts';
export { parseDocument, type StoreDocument, type StoredCard } from './store/document.ts';
export { openTpm } from './tpm/index.ts';
