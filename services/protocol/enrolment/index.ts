export * from './detached-jws.ts';
export * from './hand-over-code.ts';
export * from './hand-over-key.ts';
export * from './proof-statement.ts';
export * from './random-pin.ts';
export * from './renewal-statement.ts';
export * from './sealed-pin.ts';
export * from './signed-data.ts';
