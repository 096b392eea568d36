export interface Person {
  readonly id: string;
  readonly displayName: string;
  /** In lower case: names of Microsoft's directory are compared without case. */
  readonly userPrincipalName: string;
  readonly email: string | null;
  readonly createdAt: Date;
}

/** `name@domain`, in lower case and Unicode NFC, so that one person is not entered twice. */
export function normalisePrincipalName(text: string): string {
  return text.trim().normalize('NFC').toLowerCase();
}
