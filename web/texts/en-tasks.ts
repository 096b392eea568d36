export const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** The part of en.ts about what is asked of devices: tasks, and changes of administrator keys. */
export const tasksEn = {
  keyChanges: {
    list: 'Changes of the administrator key',
    none: 'The key of this card was never changed.',
    title: (serial: string) => `Change the administrator key of card ${serial}?`,
    what: {
      tpm: {
        does: 'The device gives the card another key at its next check-in, and the vault destroys its copy of the old one. Use it to leave a key strategy or a master version behind.',
        doesNot:
          'Inside the TPM the old key keeps its power for whoever has a copy of it. If it may have become known, this does not help: reissue the card.',
      },
      minidriver: {
        does: 'The device writes another key to the card at its next check-in. From then on the old key opens nothing, and the vault destroys its copy of it.',
        doesNot:
          'Until the card is known to have the new key both are kept, and what was done with the old one stands.',
      },
    },
    cause: 'Cause',
    causes: {
      periodic: { label: 'As a precaution', hint: 'nobody is known to have the key' },
      suspicion: { label: 'After suspicion', hint: 'the key may have become known' },
      'take-over': { label: 'Take-over', hint: 'others know the key' },
    },
    causeMissing: 'Choose why the key is changed.',
    confirm: 'Change key',
    asked: 'Asked',
    versions: 'Version',
    fromTo: (from: number, to: number | null) => (to === null ? `from ${from}` : `from ${from} to ${to}`),
    by: 'By',
    outcome: 'Outcome',
    waits: {
      requested: 'Waits for the device to check in',
      offered: 'The device is at it: either key opens the card',
    },
    act: 'Act',
    ends: {
      cancel: { button: 'Cancel change', title: 'Cancel this change?', confirm: 'Cancel change' },
      'give-up': {
        button: 'Give up change',
        title: 'Give up this change? Nobody knows which key the card has; both are kept.',
        confirm: 'Give up change',
      },
    },
  },
  tasks: {
    list: 'Tasks',
    none: 'Nothing was asked of this device.',
    asked: 'Asked',
    what: 'What',
    kinds: {
      'change-administrator-key': 'Change administrator key',
      message: 'Message',
      renew: 'Renew certificates',
      're-attest': 'Attest anew',
      retire: 'Retire card',
      destroy: 'Destroy card',
    },
    card: 'Card',
    by: 'By',
    outcome: 'Outcome',
    waits: 'Waits for the device to check in',
    told: (times: number) => `Told ${plural(times, 'time', 'times')}, not reported yet`,
    send: 'Send a message',
    messageTitle: (hostName: string) => `Message to who uses ${hostName}`,
    messageWhat: 'The agent shows it when the device checks in next. No secrets: whoever is at the device reads it.',
    message: 'Message',
    messageMissing: 'Write the message.',
    messageSend: 'Send message',
  },
};
