/** What tests and benchmarks may use of the agent; the product itself is `bin/cardwright-agent.mjs`. */
export { attestDevice, evidenceOf, type TextEvidence } from './attestation/attest-device.ts';
export type { DeviceAttestation, Endorsement, KeyProof } from './attestation/port.ts';
export * from './card/port.ts';
export { tpmCardMaker } from './card/tpm/index.ts';
export { certificationRequest, certificationRequestInfo } from './enrolment/csr.ts';
export { openReaders } from './pcsc/readers.socket.ts';
export { httpServer, type ServerOptions } from './server/server.http.ts';
export { createSignIn } from './server/sign-in.ts';
export { parseDocument, type StoreDocument, type StoredCard } from './store/document.ts';
export { openTpm } from './tpm/index.ts';
