import { type ChildProcess, spawn } from 'node:child_process';
import type { AuthorityDescription, IssuanceRequest } from '../certificates/index.ts';
import { demandKindAndNames } from './expressible.ts';
import type { PinnedChain } from './judge-answer.ts';
import { NotAsked } from './not-asked.ts';
import { certificatesInPem, pemOf } from './pem.ts';
import type { CaConnector, RevokedAtCa } from './ports.ts';
import { badAnswer, refusedByCa, unavailable } from './refusals.ts';

/** A program and what it is always given: of the configuration, never of a request. No shell reads it. */
export type Command = readonly [program: string, ...args: string[]];

export interface ScriptSettings {
  readonly description: AuthorityDescription;
  readonly pinned: PinnedChain;
  readonly answerWithinMillis: number;
  readonly giveUpAfterMillis: number;
  /** Our certificate kind → what the program knows it by. */
  readonly profiles: Readonly<Record<string, string>>;
  readonly issue: Command;
  readonly revoke: Command | null;
  /** Ends with 0 when the CA is there. */
  readonly health: Command | null;
}

/** What a program says by its exit code. */
const REFUSED = 65; // EX_DATAERR of sysexits.h
const NOT_ASKED = 69; // EX_UNAVAILABLE: the CA can't have heard anything
const MOST_OUTPUT_BYTES = 256 * 1024;

/**
 * Any program as a CA: the request in PEM on its standard input, the certificate in PEM on its standard output; what is
 * ordered is in CARDWRIGHT_REQUEST, as JSON. It sees no other variable of ours but PATH.
 */
export function createScript(settings: ScriptSettings): CaConnector {
  const { description, pinned, profiles } = settings;
  return {
    description,
    pinned,
    answerWithinMillis: settings.answerWithinMillis,
    giveUpAfterMillis: settings.giveUpAfterMillis,
    demandExpressible: (request) => demandKindAndNames(description, request),

    async enrol(request, signal) {
      const order = orderOf(request, profiles[request.profile] ?? '');
      return certificatesInPem(await run(settings.issue, order, pemOf('CERTIFICATE REQUEST', request.csr), signal));
    },

    ...(settings.revoke === null ? {} : { revoke: revokeBy(settings.revoke, settings.answerWithinMillis) }),

    async probe() {
      if (settings.health === null) return;
      await run(settings.health, {}, '', AbortSignal.timeout(settings.answerWithinMillis)).catch((error: unknown) => {
        throw unavailable('The health command says that the CA is not there.', error);
      });
    },
  };
}

/** The certificate in PEM on standard input, why and when in CARDWRIGHT_REQUEST. Must succeed when it is revoked already. */
export function revokeBy(command: Command, withinMillis: number) {
  return async ({ certificate, reason, serialNumber, revokedAt, invalidityDate }: RevokedAtCa): Promise<void> => {
    const order = { act: 'revoke', serialNumber, reason, revokedAt, invalidityDate: invalidityDate ?? null };
    await run(command, order, pemOf('CERTIFICATE', certificate), AbortSignal.timeout(withinMillis));
  };
}

function orderOf(request: IssuanceRequest, profile: string) {
  const { requestId, profile: kind, subject, subjectAltName, securityIdentifier, validitySeconds, renewal } = request;
  const act = renewal ? 'renew' : 'issue';
  return { act, requestId, kind, profile, subject, subjectAltName, securityIdentifier, validitySeconds };
}

/** Gives its standard output. @throws NotAsked; DomainError `ca-refused`, `ca-unavailable`, `ca-answer-too-large`. */
function run([program, ...args]: Command, order: unknown, input: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', CARDWRIGHT_REQUEST: JSON.stringify(order) },
      cwd: '/',
      stdio: ['pipe', 'pipe', 'ignore'],
      // A group of its own, so that what it started ends with it.
      detached: true,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    let why: Error | undefined;
    const stop = (error: Error) => {
      why ??= error;
      endGroup(child);
    };
    const late = () => stop(unavailable('The program did not end in time.', signal.reason));
    signal.addEventListener('abort', late, { once: true });
    if (signal.aborted) late();
    child.once('error', (error) => reject(new NotAsked('The program of the configuration can not be started.', error)));
    child.stdin.on('error', () => undefined); // it may end without reading all of it
    child.stdin.end(input);
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST_OUTPUT_BYTES) {
        stop(badAnswer('ca-answer-too-large', `The program wrote more than ${MOST_OUTPUT_BYTES} bytes.`));
      } else chunks.push(chunk);
    });
    child.once('close', (code) => {
      signal.removeEventListener('abort', late);
      if (why !== undefined) reject(why);
      else if (code === 0) resolve(Buffer.concat(chunks).toString('latin1'));
      else reject(refusalOf(code));
    });
  });
}

function refusalOf(code: number | null): Error {
  if (code === REFUSED) return refusedByCa(`The CA refused: the program ended with ${REFUSED}.`);
  if (code === NOT_ASKED) return new NotAsked(`The CA was not asked: the program ended with ${NOT_ASKED}.`);
  return unavailable(`The program ended with ${code ?? 'a signal'}: what the CA did is not known.`);
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended by itself.
  }
}
