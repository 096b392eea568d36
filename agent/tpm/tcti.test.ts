import { expect, test } from 'vitest';
import { DEFAULT_TCTI, parseTcti } from './tcti.ts';

test.each([
  ['swtpm:host=127.0.0.1,port=2321', { kind: 'tcp', host: '127.0.0.1', port: 2321 }],
  ['swtpm:port=7', { kind: 'tcp', host: '127.0.0.1', port: 7 }],
  ['swtpm:host=::1,port=2321', { kind: 'tcp', host: '::1', port: 2321 }],
  ['swtpm:path=/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
  ['device:/dev/tpm0', { kind: 'device', path: '/dev/tpm0' }],
  [DEFAULT_TCTI, { kind: 'device', path: '/dev/tpmrm0' }],
])('%s', (text, expected) => {
  expect(parseTcti(text)).toEqual(expected);
});

test.each([
  '',
  'swtpm',
  'swtpm:',
  'swtpm:port=0',
  'swtpm:port=65536',
  'swtpm:port=x',
  'swtpm:port=1,port=2',
  'swtpm:path=relative',
  'swtpm:path=/x,port=1',
  'swtpm:pid=1',
  'device:tpm0',
  'device:/dev/tpm0\0',
  'tabrmd:',
  `device:/${'x'.repeat(600)}`,
])('%j is malformed', (text) => {
  expect(() => parseTcti(text)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'tcti-malformed' }));
});

test('a software TPM on another machine is refused: nothing protects the way to it', () => {
  const act = () => parseTcti('swtpm:host=192.0.2.1,port=2321');
  expect(act).toThrow(expect.objectContaining({ kind: 'invalid', code: 'tcti-not-local' }));
});
