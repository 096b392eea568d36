import { randomBytes } from 'node:crypto';
import type { Device } from './device.ts';
import type { TestSystem } from './system.ts';

export interface Person {
  readonly id: string;
  readonly displayName: string;
  readonly userPrincipalName: string;
}

export async function registerPerson(system: TestSystem, displayName: string): Promise<Person> {
  const userPrincipalName = `${displayName.toLowerCase().replaceAll(' ', '.')}.${randomBytes(3).toString('hex')}@corp.example`;
  const made = await system.as('helpdesk').post('/people', { displayName, userPrincipalName });
  if (made.status !== 201) throw new Error(`no person: ${JSON.stringify(made.body)}`);
  return made.body;
}

export async function enrolmentCode(system: TestSystem, personId: string, cardProfile?: string): Promise<string> {
  const body = { personId, ...(cardProfile === undefined ? {} : { cardProfile }) };
  const made = await system.as('helpdesk').post('/enrolments', body);
  if (made.status !== 201) throw new Error(`no enrolment: ${JSON.stringify(made.body)}`);
  return made.body.code;
}

/** A person with an active card on that device. */
export async function enrolledCard(
  system: TestSystem,
  device: Device,
  pin: string,
  displayName = 'Grace Hopper',
  cardProfile?: string,
): Promise<{ person: Person; cardId: string; serial: string }> {
  const person = await registerPerson(system, displayName);
  const code = await enrolmentCode(system, person.id, cardProfile);
  const ran = await device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], {
    input: `${pin}\n`,
  });
  if (ran.exitCode !== 0) throw new Error(`not enrolled: ${ran.stderr}`);
  const cards = await system.as('helpdesk').get(`/cards?personId=${person.id}&state=active`);
  const [card] = cards.body.items;
  return { person, cardId: card.id, serial: card.serial };
}
