export * from './crockford.ts';
export * from './hex.ts';
export * from './lines.ts';
export * from './messages.ts';
