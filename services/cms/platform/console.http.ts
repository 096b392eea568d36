import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '@cardwright/protocol';
import fastifyStatic from '@fastify/static';
import type { App } from './server.http.ts';

/** Names of built assets carry a hash of their content: they can be kept for ever. Everything else is asked for anew. */
const HASHED = /^\/assets\/[A-Za-z0-9._-]+-[A-Za-z0-9_-]{6,}\.[a-z0-9]+$/;
const FILE = /\.[A-Za-z0-9]{1,8}$/;

/** The console's files, and its page for every address that is its own (it routes in the browser). */
export async function registerConsoleRoutes(app: App, deps: { readonly root: string }): Promise<void> {
  await app.register(fastifyStatic, { root: deps.root, serve: false, index: false, dotfiles: 'deny' });

  app.get('/*', { config: { permission: 'public' } }, (request, reply) => {
    const [path = '/'] = request.url.split('?');
    if (path.startsWith('/api/') || path.startsWith('/health/')) throw notFound();
    if (HASHED.test(path)) {
      return reply.sendFile(path.slice(1), { maxAge: 31_536_000_000, immutable: true });
    }
    if (FILE.test(path)) return reply.sendFile(decodeURIComponent(path).slice(1), { maxAge: 0 });
    if (!existsSync(join(deps.root, 'index.html'))) throw notFound('The console is not built here. Run npm run build.');
    return reply.header('cache-control', 'no-cache').sendFile('index.html', { cacheControl: false });
  });
}

const notFound = (detail = 'There is nothing here.') => new DomainError('not-found', 'not-found', detail);
