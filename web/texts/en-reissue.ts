/** The part of en.ts about a card that takes the place of another. */
export const reissueEn = {
  reissue: {
    title: (serial: string) => `Reissue card ${serial}?`,
    what: 'Makes an enrolment code for a new card of the same person and profile. Use it when a system was installed anew, for another device, or when the card is lost.',
    oldCard: 'The old card',
    oldCards: {
      'retire-when-replaced': {
        label: 'Stays in use until the new one is active',
        hint: 'then it is retired and its certificates are revoked; on the same device it has to be retired now',
      },
      'retire-now': { label: 'Is retired now', hint: 'its certificates are revoked at once' },
    },
    oldCardStays:
      'The old card stays in use until the new one is active. Then it is retired, and its certificates are revoked.',
    oldCardGone: 'The old card is out of use already.',
    why: 'Its certificates are revoked because',
    whys: {
      superseded: { label: 'Another card follows', hint: 'superseded' },
      keyCompromise: { label: 'It is lost, stolen or suspected', hint: 'keyCompromise' },
      cessationOfOperation: { label: 'It is used no more', hint: 'cessationOfOperation' },
    },
    confirm: 'Reissue card',
    codeTitle: 'Code for the new card',
    replaces: 'Replaces',
    replacedBy: 'Replaced by',
  },
};
