import { lookForRenewals } from '../renewal/look.ts';
import { done, failed } from './journal.ts';
import { cardOf, readStore, type TaskHandler } from './task.ts';

/** Renews now what is due, by the server's policy. What wants the PIN is told to the card's holder, and the task tried again. */
export const renewCertificates: TaskHandler = async (work, task) => {
  const card = cardOf(readStore(work), work, task);
  if (card === undefined) return failed('card-unknown', 'This device has no such card.');
  if (card.state !== 'active') return failed('card-not-in-use', `The card is ${card.state} on its device.`);
  const { renewed, waiting } = await lookForRenewals(work, card);
  if (waiting > 0) return failed('renewal-needs-pin', `${waiting} certificates wait for the PIN of the card's holder.`);
  return done({ detail: `${renewed} certificates were renewed.` });
};
