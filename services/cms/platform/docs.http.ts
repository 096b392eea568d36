import { renderDocs } from './docs.ts';
import type { App } from './server.http.ts';

/** No script and nothing from elsewhere: the page is written here, once, from the same contract that is served. */
export function registerDocsRoutes(app: App): void {
  let page: string | undefined;

  app.get('/api/v1/openapi.json', { config: { permission: 'public' } }, () => app.swagger());

  app.get('/docs', { config: { permission: 'public' } }, (_request, reply) => {
    page ??= renderDocs(app.swagger());
    return reply.type('text/html; charset=utf-8').send(page);
  });

  app.get('/docs/style.css', { config: { permission: 'public' } }, (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=3600').send(STYLE),
  );
}

const STYLE = `:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
nav ul { columns: 2; padding-left: 1.2rem; }
section { border-top: 1px solid #8886; margin-top: 1.5rem; }
h3 { overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
code, pre { font: 0.875rem/1.4 ui-monospace, monospace; }
pre { background: #8882; padding: 0.75rem; overflow-x: auto; border-radius: 4px; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 0.2rem 1rem 0.2rem 0; vertical-align: top; }
`;
