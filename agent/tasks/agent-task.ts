/** What the server asks this device to do. A kind that is not known here is of a newer server. */
export interface AgentTask {
  readonly taskId: string;
  readonly kind: string;
  readonly cardId: string | null;
  readonly cardSerial: string | null;
  readonly cardKind: string | null;
  /** Of an operator, for the people of this device. */
  readonly message: string | null;
}
