/** How an operator can have made sure who somebody is. */
export const VERIFICATION_METHODS = ['in-person', 'video', 'call-back', 'manager'] as const;
export type VerificationMethod = (typeof VERIFICATION_METHODS)[number];
