import { plural } from './en-tasks.ts';

/** The part of en.ts about what happens to computers and people, and all that follows from it. */
export const lifeCycleEn = {
  lifeCycle: {
    section: 'What happened?',
    lead: 'One act does all that follows from it. You see what that is before it is done.',
    acts: {
      'device-lost': {
        button: { card: 'Computer lost', device: 'Lost', person: 'Computer lost' },
        title: 'The computer was lost',
        what: 'Its keys stay behind the PIN and the TPM’s few tries. Its cards go out of use, and their certificates are revoked.',
      },
      'device-stolen': {
        button: { card: 'Stolen, PIN known', device: 'Stolen, PIN known', person: 'Stolen, PIN known' },
        title: 'The computer was stolen, and the PIN is known',
        what: 'Whoever has it can use its keys. A new PIN never helps against that: only another card does.',
      },
      'person-left': {
        button: { card: 'Person left', device: 'Person left', person: 'Person left' },
        title: 'The person left',
        what: 'All their cards are retired, and their certificates are revoked. No other card follows.',
      },
      'device-handed-over': {
        button: { card: 'Handed over', device: 'Handed over', person: 'Handed over' },
        title: 'The computer is handed to another person',
        what: 'A card belongs to one person: those on it are retired. The new holder gets a card of their own.',
      },
      'system-reinstalled': {
        button: { card: 'System reinstalled', device: 'System reinstalled', person: 'System reinstalled' },
        title: 'The system was installed anew',
        what: 'What opened the cards in the TPM is gone with the old system: they are made anew.',
      },
    },
    reissue: 'Other cards',
    reissueChoice: { label: 'Make codes for cards that take their places', hint: 'shown once, when it is done' },
    newHolder: 'New holder',
    plan: 'What will be done',
    nothing: 'Nothing would change.',
    stale: 'Something changed since you looked. This is what would be done now.',
    confirm: 'Do all of this',
    done: 'It is done',
    doneWhat: 'Everything that was shown is done. CAs that could not be reached are told as soon as they answer.',
    codeOf: (number: number, of: number) => `Code ${number} of ${of}`,
    codeTitle: 'Codes for the new cards',
    cards: (count: number) => `${plural(count, 'card changes its', 'cards change their')} state`,
    certificates: (count: number) => `${plural(count, 'certificate is', 'certificates are')} revoked`,
    sessionsEnded: (count: number) => `${plural(count, 'unblock session', 'unblock sessions')} ended`,
    keyChangesCancelled: (count: number) =>
      `${plural(count, 'change of an administrator key', 'changes of administrator keys')} cancelled`,
    tasksCancelled: (count: number) => `${plural(count, 'task', 'tasks')} cancelled`,
    tasksQueued: (count: number) =>
      `${plural(count, 'card is', 'cards are')} destroyed in the TPM when the computer checks in, if it ever does`,
    enrolmentsCancelled: (count: number) => `${plural(count, 'open enrolment', 'open enrolments')} cancelled`,
    enrolmentsMade: (count: number) => `${plural(count, 'enrolment code', 'enrolment codes')} made`,
    notDone: 'Not done',
    fromTo: (from: string, to: string) => `${from} → ${to}`,
    ofProfile: (profile: string) => `for a card of the profile ${profile}`,
  },
  picker: {
    find: 'Name, user principal name, serial or host name',
    choose: (title: string) => `Choose ${title}`,
    another: 'Choose another',
    none: 'Nothing is found.',
  },
};
