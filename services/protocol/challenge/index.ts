export * from './crockford.ts';
export * from './hex.ts';
export * from './lines.ts';
export * from './lockout-messages.ts';
export * from './messages.ts';
export * from './statement.ts';
export * from './unblock-approval.ts';
