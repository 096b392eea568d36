/** Whether an answer has said 401 while a page was open. Kept outside React: the query client reports it. */
let signedOut = false;
const listeners = new Set<() => void>();

export function setSignedOut(value: boolean): void {
  if (signedOut === value) return;
  signedOut = value;
  for (const listener of listeners) listener();
}

export function subscribeSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function readSignedOut(): boolean {
  return signedOut;
}
