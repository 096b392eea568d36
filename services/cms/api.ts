import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { wire } from './wire.ts';

/** Entry: the REST API and the console's files. Ends what it began when it is asked to stop. */
const config = readConfig(process.env);
const parts = wire(config);
const app = await createApp(parts);
await app.listen({ port: config.port, host: config.host });

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    // Requests under way are finished; the system's own patience ends a process that can't.
    void app
      .close()
      .then(() => parts.close())
      .then(() => process.exit(0));
  });
}
