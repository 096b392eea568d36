import { spanText } from '../spans.ts';
import type { ServerFacts } from './facts.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** Answers to a challenge hold for minutes, so seconds do no harm. */
const SKEW_NOTED_SECONDS = 60;
/** From here on signed times are refused, and certificates seem not yet valid. */
const SKEW_HARMFUL_SECONDS = 300;

/** One server that the store knows. */
export function serverFindings(server: ServerFacts): Finding[] {
  const findings = server.reached ? reached(server.url, server.clockAheadSeconds) : [away(server)];
  return findings.map((finding) => ({ ...finding, server: server.url }));
}

function reached(url: string, ahead: number | null): Finding[] {
  const there = ok('server', `${url} answers.`);
  if (ahead === null) return [there];
  const skew = Math.abs(ahead);
  if (skew < SKEW_NOTED_SECONDS) return [there, ok('clock', `This clock agrees with that of ${url}.`)];
  const message = `This clock is ${spanText(skew)} ${ahead > 0 ? 'ahead of' : 'behind'} that of ${url}.`;
  const advice = 'Let the time be kept: timedatectl set-ntp true.';
  return [there, skew < SKEW_HARMFUL_SECONDS ? warning('clock', message, advice) : problem('clock', message, advice)];
}

/** Cards work without their server; what needs it is said to wait. */
function away({ code, detail }: Extract<ServerFacts, { reached: false }>): Finding {
  // Whoever stands between would like to be taken for a server that is away.
  if (code === 'server-certificate-changed') {
    return problem('server', detail, 'Ask whoever runs the server before anything is typed.');
  }
  return warning(
    'server',
    detail,
    'Look at the network, the proxy and the certificate (NODE_EXTRA_CA_CERTS). Cards work on without the server.',
  );
}
