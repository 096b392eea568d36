import { spanText } from '../spans.ts';
import { longestLockSeconds } from '../tpm/index.ts';
import type { Facts, TpmFacts } from './facts.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** What the TPM itself says and does. */
export function tpmFindings({ tpm, machine }: Pick<Facts, 'tpm' | 'machine'>): Finding[] {
  if (!tpm.answers) {
    // Without its node the reason was said already.
    if (machine.node !== null && (!machine.node.exists || !machine.node.mayOpen)) return [];
    return [
      problem('tpm', tpm.detail, ADVICE[tpm.code] ?? 'Restart the machine, or the software TPM; then run this again.'),
    ];
  }
  const { facts } = tpm;
  return [
    ok('tpm', `${facts.manufacturer}, firmware ${facts.firmware}, TPM 2.0 revision ${facts.revision}.`),
    functions(facts),
    pinIndex(facts),
    room(facts),
    owner(facts),
    lockout(facts),
    storageKey(facts),
    endorsement(facts),
  ];
}

const ADVICE: Readonly<Record<string, string>> = {
  'tpm-unreachable':
    'See that the TPM is switched on, and that the software TPM runs, if it is one; then run this again.',
  'tpm-timeout': 'End the other program that holds the TPM, or use /dev/tpmrm0; if there is none, restart the machine.',
  'tpm-busy': 'End the other program that holds the TPM, or use /dev/tpmrm0.',
  'tpm-failed':
    'The TPM found itself broken and does nothing more: restart the machine; if it stays, the TPM is to be replaced.',
  'tpm-not-started': 'Restart the machine, or start the software TPM with --flags startup-clear.',
  'tcti-malformed': 'Say --tpm as the message has it.',
};

function functions({ missingCommands, curves, hierarchies }: TpmFacts): Finding {
  if (!hierarchies.storage || !hierarchies.endorsement) {
    const name = hierarchies.storage ? 'endorsement' : 'storage';
    return problem(
      'functions',
      `The ${name} hierarchy of the TPM is switched off until the next start.`,
      'Restart the machine; if it stays off, switch the TPM on in the firmware settings.',
    );
  }
  if (missingCommands.length > 0 || !curves.p256) {
    const lacks = [...missingCommands, ...(curves.p256 ? [] : ['curve P-256'])].join(', ');
    return problem('functions', `The TPM lacks what cards need: ${lacks}.`, 'Look for newer firmware from its maker.');
  }
  return ok('functions', `All commands that cards need; curves P-256${curves.p384 ? ' and P-384' : ''}.`);
}

function pinIndex({ pinIndex: trial, revision, leftOverRemoved }: TpmFacts): Finding {
  const check = 'pin-index';
  const cleared = leftOverRemoved ? ' What an interrupted trial had left is removed.' : '';
  if (trial === 'works') return ok(check, `A PIN index was made and removed again.${cleared}`);
  // The TPM would have taken it: why it can't be now is said at its own line.
  if (trial === 'no-room') return ok(check, `PIN indexes are known, but there is no room for one.${cleared}`);
  if (trial === 'owner-password') {
    return warning(check, 'Not tried: the owner has a password.', 'See owner-password; then run this again.');
  }
  if (trial === 'unsupported') {
    return problem(
      check,
      `This TPM (revision ${revision}) has no PIN indexes: it can't count the tries of a card.`,
      'Cards need library revision 1.38 or later: look for newer firmware from its maker.',
    );
  }
  return problem(check, `The TPM refused a PIN index: ${trial.refused}.`, 'Look for newer firmware from its maker.');
}

function room({ pinIndex: trial, nvIndexes, roomForKeys }: TpmFacts): Finding {
  const check = 'nv-space';
  const estimate = roomForKeys === null ? '' : `; by its own estimate there is room for ${roomForKeys} more keys`;
  const message = `${nvIndexes} NV indexes are in use${estimate}.`;
  if (trial === 'no-room') {
    return problem(
      check,
      `There is no room for another card: ${message}`,
      'Destroy cards that nobody needs (cardwright-agent destroy), or have the owner remove other indexes (tpm2_nvundefine). Existing cards work on.',
    );
  }
  return ok(check, message);
}

function owner({ ownerPasswordSet }: TpmFacts): Finding {
  if (!ownerPasswordSet) return ok('owner-password', "The owner's password is empty, as cards need it.");
  return problem(
    'owner-password',
    "The TPM's owner has a password: cards can be neither made nor removed.",
    'Whoever set it can take it off (tpm2_changeauth -c owner -p PASSWORD). Existing cards with a persistent storage key work on.',
  );
}

function lockout({ lockout: state, storageKey: { stopsWhenLocked } }: TpmFacts): Finding {
  const check = 'lockout';
  const { wrongTries, maxTries, forgivenAfterSeconds, passwordSet } = state;
  const rules =
    `${wrongTries} of ${maxTries} wrong tries` +
    (forgivenAfterSeconds === 0 ? '' : `, one forgiven every ${spanText(forgivenAfterSeconds)}`) +
    (passwordSet ? '; a lockout password is set' : '; no lockout password is set');
  if (!state.locked) return ok(check, `Not locked: ${rules}.`);
  const longest = longestLockSeconds(state);
  const until = longest === undefined ? 'until it is reset' : `for at most ${spanText(longest)}`;
  const advice =
    'Find out what tries wrong passwords. To end it now: cardwright-agent reset-lockout, where the lockout is under protection; else tpm2_dictionarylockout --clear-lockout (with -p if a lockout password is set).';
  const locked = `The TPM is locked ${until}: ${rules}.`;
  if (stopsWhenLocked)
    return problem(check, `${locked} Its storage key is locked with it, and so are the cards.`, advice);
  return warning(check, `${locked} Cards work on; other things on this machine do not.`, advice);
}

function storageKey({ storageKey: { persistent, name, stopsWhenLocked } }: TpmFacts): Finding {
  const check = 'storage-key';
  if (persistent === 'yes' && stopsWhenLocked) {
    return warning(
      check,
      'The storage root key at 0x81000001 was made without noDA: a TPM that others lock by wrong passwords locks the cards too.',
      'Before the first card: make it anew as the TCG has it, with noDA (tpm2_createprimary -C o -G ecc -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt|noda").',
    );
  }
  if (persistent === 'yes') return ok(check, 'The storage root key is kept at 0x81000001.');
  if (name === null) {
    return warning(check, 'No storage root key could be made.', 'See owner-password and functions.');
  }
  if (persistent === 'other') {
    return ok(
      check,
      'The key at 0x81000001 is not one that cards can have as parent; they use another, made when needed.',
    );
  }
  return ok(
    check,
    'No storage root key is kept: it is made each time, which takes a hardware TPM up to a second.',
    'To keep it: tpm2_createprimary -C o -G ecc -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt|noda" -c srk.ctx && tpm2_evictcontrol -C o -c srk.ctx 0x81000001 (before the first card).',
  );
}

function endorsement({ endorsementCertificates }: TpmFacts): Finding {
  const check = 'endorsement-certificate';
  if (endorsementCertificates.length > 0) {
    const places = endorsementCertificates.map((nvIndex) => `0x${nvIndex.toString(16)}`).join(', ');
    return ok(check, `The maker's certificate is there (${places}).`);
  }
  return warning(
    check,
    "The TPM holds no certificate of its maker: it can't prove that it is one.",
    'Some makers publish it (tpm2_getekcertificate). Profiles that require attestation refuse this device.',
  );
}
