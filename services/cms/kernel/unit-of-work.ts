/**
 * An open database transaction. Opaque to use cases: they hand it from port to port, so that a change and its audit
 * event are written together or not at all. Never call another system while one is open (architecture, rule 5).
 */
declare const transaction: unique symbol;
export interface Tx {
  readonly [transaction]: true;
}

export interface UnitOfWork {
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}
