import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { openSocket } from './stream.socket.ts';
import type { Transport } from './transport.ts';

const COMMAND = Uint8Array.of(0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 0x7b);
const OK = Uint8Array.of(0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0);

let server: Server | undefined;
let transport: Transport | undefined;
afterEach(async () => {
  await transport?.close();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  transport = undefined;
});

/** A peer that does `react` to each command: what no real TPM would do. */
async function peer(react: (socket: Socket) => void): Promise<Transport> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => react(socket));
  });
  const port = await new Promise<number>((resolve) => {
    server?.listen(0, '127.0.0.1', () => {
      const address = server?.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  transport = await openSocket({ host: '127.0.0.1', port });
  return transport;
}

test('a response in one piece', async () => {
  const tpm = await peer((socket) => socket.write(OK));
  expect(await tpm.exchange(COMMAND, 5_000)).toEqual(OK);
  expect(await tpm.exchange(COMMAND, 5_000)).toEqual(OK);
});

test('a response in pieces', async () => {
  const tpm = await peer((socket) => {
    socket.write(OK.subarray(0, 3), () => setImmediate(() => socket.write(OK.subarray(3))));
  });
  expect(await tpm.exchange(COMMAND, 5_000)).toEqual(OK);
});

test.each<[string, string, (socket: Socket) => void]>([
  ['closes at once', 'tpm-unreachable', (socket) => socket.destroy()],
  ['closes in the middle of the header', 'tpm-response-cut-short', (socket) => socket.end(OK.subarray(0, 4))],
  ['closes in the middle', 'tpm-response-cut-short', (socket) => socket.end(OK.subarray(0, 9))],
  ['stops in the middle', 'tpm-response-cut-short', (socket) => socket.write(OK.subarray(0, 9))],
  ['says nothing', 'tpm-timeout', () => undefined],
  ['says more than it announced', 'tpm-response-malformed', (socket) => socket.write(Uint8Array.of(...OK, 0))],
  ['announces too little', 'tpm-response-malformed', (socket) => socket.write(Uint8Array.of(0x80, 1, 0, 0, 0, 9))],
  ['announces too much', 'tpm-response-malformed', (socket) => socket.write(Uint8Array.of(0x80, 1, 0, 0, 16, 1))],
  ['announces 4 GB', 'tpm-response-malformed', (socket) => socket.write(Uint8Array.of(0x80, 1, 255, 255, 255, 255))],
])('a TPM that %s: %s, and no command after it', async (_, code, react) => {
  const tpm = await peer(react);
  await expect(tpm.exchange(COMMAND, 200)).rejects.toMatchObject({ name: 'DomainError', code });
  await expect(tpm.exchange(COMMAND, 200)).rejects.toMatchObject({ code });
});

test('a late response is never taken for the next one', async () => {
  const late: Socket[] = [];
  const tpm = await peer((socket) => late.push(socket));
  await expect(tpm.exchange(COMMAND, 50)).rejects.toMatchObject({ code: 'tpm-timeout' });
  late[0]?.write(OK);
  await expect(tpm.exchange(COMMAND, 50)).rejects.toMatchObject({ code: 'tpm-timeout' });
});

test('nobody there', async () => {
  const opening = openSocket({ path: '/nonexistent/tpm.sock' });
  await expect(opening).rejects.toMatchObject({ kind: 'unavailable', code: 'tpm-unreachable' });
});
