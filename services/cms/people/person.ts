export interface Person {
  readonly id: string;
  readonly displayName: string;
  /** In lower case: names of Microsoft's directory are compared without case. */
  readonly userPrincipalName: string;
  readonly email: string | null;
  readonly organization: string | null;
  /** SID of the person's Windows account. */
  readonly securityIdentifier: string | null;
  /** `name@REALM` in exact case; null: what follows from the user principal name. */
  readonly kerberosPrincipal: string | null;
  readonly version: number;
  readonly createdAt: Date;
}

/** What a directory says of a person, and may say otherwise later. */
export type PersonNames = Omit<Person, 'id' | 'version' | 'createdAt'>;

/** Names by which servers find an account: whoever may write them may sign in as anybody. */
export const ACCOUNT_NAMES = ['securityIdentifier', 'kerberosPrincipal'] as const;

/** `name@domain`, in lower case and Unicode NFC, so that one person is not entered twice. */
export function normalisePrincipalName(text: string): string {
  return text.trim().normalize('NFC').toLowerCase();
}
