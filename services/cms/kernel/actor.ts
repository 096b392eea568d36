/** Who acts. Every change and every audit event names one. */
export type Role = 'helpdesk' | 'security-officer' | 'auditor' | 'integration';

export type Actor =
  | { readonly kind: 'operator'; readonly id: string; readonly name: string; readonly role: Role }
  | { readonly kind: 'device'; readonly id: string; readonly name: string }
  /** The holder of an enrolment code, before a device is known. */
  | { readonly kind: 'enrolment-code'; readonly id: string; readonly name: string }
  | { readonly kind: 'anonymous'; readonly id: string; readonly name: string }
  | { readonly kind: 'system'; readonly id: string; readonly name: string };

/** What every change carries: who, why, and by which request. */
export interface Intent {
  readonly actor: Actor;
  readonly requestId: string;
  readonly reason?: string | undefined;
  readonly ticket?: string | undefined;
}
