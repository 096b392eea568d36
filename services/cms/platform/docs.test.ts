import { describe, expect, it } from 'vitest';
import { renderDocs } from './docs.ts';

describe('the documentation page', () => {
  const page = renderDocs({
    info: { title: 'X', description: '<script>alert(1)</script> & "quotes"' },
    paths: {
      '/cards/{cardId}': {
        get: {
          operationId: 'getCard',
          summary: 'One card.',
          parameters: [{ name: 'cardId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
          responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Card' } } } } },
        },
      },
    },
    components: {
      schemas: {
        Card: {
          type: 'object',
          properties: { serial: { type: ['string', 'null'] } },
          required: ['serial'],
          examples: [{ serial: '</pre><script>' }],
        },
      },
    },
  });

  it('shows operations and objects, linked', () => {
    expect(page).toContain('<section id="getCard">');
    expect(page).toContain('href="#schema-Card"');
    expect(page).toContain('string (uuid)');
    expect(page).toContain('string or null');
  });

  it('holds no script and asks nobody else for anything', () => {
    expect(page).not.toMatch(/<script/i);
    expect(page).not.toMatch(/\son\w+=/i);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//i);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;');
  });
});
