import { type CertificateFilters, orderOf } from './filters.ts';

/** How each filter stands in the WHERE clause. Only those given appear, so that the planner sees which index serves. */
const CONDITIONS = {
  deviceId: (n: number) => `c.device_id = $${n}`,
  cardId: (n: number) => `c.card_id = $${n}`,
  personId: (n: number) => `c.person_id = $${n}`,
  serialNumber: (n: number) => `c.serial_number = $${n}`,
  thumbprint: (n: number) => `c.thumbprint = $${n}`,
  publicKey: (n: number) => `c.public_key_hash = decode($${n}, 'hex')`,
  certificateProfile: (n: number) => `c.certificate_profile = $${n}`,
  assurance: (n: number) => `c.assurance = $${n}`,
  authority: (n: number) => `c.authority = $${n}`,
} as const;

/** Those of the embedded CA are in no index of authorities: there would be no end of them. */
const CONNECTED = `c.authority <> 'embedded'`;

/** `status` and `moment` are SQL: a certificate's state, and the time at which it is looked at. */
const STATUS_CONDITIONS = {
  proposed: (status: string) => `${status} = 'proposed'`,
  failed: (status: string) => `${status} = 'failed'`,
  'on-hold': (status: string) => `${status} = 'on-hold'`,
  revoked: (status: string) => `${status} = 'revoked'`,
  active: (status: string, moment: () => string) => `${status} = 'active' AND c.not_after > ${moment()}`,
  expired: (status: string, moment: () => string) => `${status} = 'active' AND c.not_after <= ${moment()}`,
} as const;

/** The state that a certificate was in at the moment; one that was not recorded yet is not there. */
export const STATE_AT = (
  moment: string,
) => `JOIN LATERAL (SELECT status, decision, reason, effective_at FROM certificate_states
  WHERE certificate_id = c.id AND since <= ${moment} ORDER BY number DESC LIMIT 1) s ON true`;

const ORDERS = {
  newest: { by: 'c.id DESC', after: (id: string) => `c.id < ${id}::uuid` },
  // Of what has expired, what ended last: so the index of ends serves, and not a walk through all that is active.
  ended: {
    by: 'c.not_after DESC, c.id DESC',
    after: (id: string, end: string) => `(c.not_after, c.id) < (${end}::timestamptz, ${id}::uuid)`,
  },
  ending: {
    by: 'c.not_after, c.id',
    after: (id: string, end: string) => `(c.not_after, c.id) > (${end}::timestamptz, ${id}::uuid)`,
  },
} as const;

export interface Conditions {
  /** Of the prepared statement: one for each combination of filters. */
  readonly name: string;
  readonly where: readonly string[];
  readonly values: unknown[];
  readonly order: string;
}

/** @param after key of the last row of the page before: the id, or the end and the id with a bar between. */
export function conditionsOf(filters: CertificateFilters, now: Date, after: string | null): Conditions {
  const { status, asOf, ending } = filters;
  const values: unknown[] = [];
  const where: string[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  let name = 'certificates';
  for (const [key, condition] of Object.entries(CONDITIONS) as [keyof typeof CONDITIONS, (n: number) => string][]) {
    if (filters[key] === undefined) continue;
    where.push(condition(values.push(filters[key])));
    name += `-${key}`;
  }
  if (filters.authority !== undefined && filters.authority !== 'embedded') {
    where.push(CONNECTED);
    name += '-connected';
  }
  if (status !== undefined) {
    const moment = () => parameter(asOf ?? now);
    where.push(STATUS_CONDITIONS[status](asOf === undefined ? 'c.status' : 's.status', moment));
    name += `-${status}`;
  }
  if (ending !== undefined) {
    where.push(
      `c.status IN ('active', 'on-hold') AND c.not_after >= ${parameter(ending.from)} AND c.not_after < ${parameter(ending.before)}`,
    );
    name += '-ending';
  }
  const order = ORDERS[orderOf(filters)];
  if (after !== null) {
    const [id = '', end] = after.split('|').toReversed();
    where.push(order.after(parameter(id), end === undefined ? '' : parameter(end)));
    name += '-after';
  }
  return { name, where, values, order: order.by };
}
