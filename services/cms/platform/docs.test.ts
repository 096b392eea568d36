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
          'x-permission': 'cards:read',
          parameters: [{ name: 'cardId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
          responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Card' } } } } },
        },
      },
      '/cards': {
        post: {
          operationId: 'registerCard',
          requestBody: {
            content: {
              'application/json': {
                schema: { type: 'object', properties: { serial: { type: 'string', description: 'On its label.' } } },
              },
            },
          },
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

  it('says who may, and what the fields of a body are that has no name of its own', () => {
    expect(page).toContain('the permission <code>cards:read</code>');
    expect(page).toContain('everyone, without a token');
    expect(page).toContain('<td><code>serial</code></td><td>string, optional</td><td>On its label.</td>');
  });

  it('holds no script and asks nobody else for anything', () => {
    expect(page).not.toMatch(/<script/i);
    expect(page).not.toMatch(/\son\w+=/i);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//i);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;');
  });
});
