/** What the vault says that an operator should look into. */
export interface VaultAlert {
  /** Decimal, grows. */
  readonly id: string;
  readonly code: string;
  /** RFC 3339, UTC: when the vault refused. */
  readonly at: string;
  readonly operation: string;
  /** Null: about no card. */
  readonly cardId: string | null;
  readonly keyVersion: number | null;
  readonly requestedBy: string;
  readonly requestId: string;
}

export interface VaultAlertSource {
  /** Those after the one with this id, oldest first, at most `limit`. */
  after(id: string, limit: number): Promise<readonly VaultAlert[]>;
}

export interface NotedAlerts {
  /** The id of the last alert that the audit log has; '0' when it has none. */
  last(): Promise<string>;
}
