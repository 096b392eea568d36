const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  ...['script-src', 'style-src', 'font-src', 'connect-src', 'manifest-src', 'form-action'].map(
    (one) => `${one} 'self'`,
  ),
  "img-src 'self' data:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join(';');

/**
 * On every answer, and the same on every answer: so they are text, and not computed for each. Pages load only what this
 * server itself serves, run in no frame and share no process with others; nothing tells where a reader came from.
 */
export function securityHeaders(https: boolean): Readonly<Record<string, string>> {
  return {
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-dns-prefetch-control': 'off',
    'x-download-options': 'noopen',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
    // The filter of old browsers could itself be made to break a page.
    'x-xss-protection': '0',
    // RFC 6797 section 7.2: not over plain HTTP.
    ...(https ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  };
}
