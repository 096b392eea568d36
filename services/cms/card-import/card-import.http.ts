import { DomainError } from '@cardwright/protocol';
import { type Static, Type } from 'typebox';
import type { Intent } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, id, nullable, OperatorRef, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type CardImport, isRight, type LineReport } from './import.ts';
import type { ImportService } from './import-cards.ts';
import type { ImportLine } from './line.ts';
import type { CardImports } from './ports.ts';
import { type Format, readImport } from './read-lines.ts';

const example = {
  id: '0199f2a0-7777-7000-8000-000000000007',
  state: 'done',
  acceptDuplicates: false,
  progress: { done: 1, total: 1 },
  createdBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'officer' },
  createdAt: '2026-03-02T09:00:00.000Z',
  finishedAt: '2026-03-02T09:00:01.000Z',
  report: [
    {
      line: 2,
      serial: 'VSC-00042',
      cardId: '0199f2a0-3333-7000-8000-000000000003',
      code: null,
      detail: null,
      duplicate: false,
    },
  ],
} as const;

const LineReportSchema = Type.Object(
  {
    line: Type.Integer({ description: 'Of the file, from 1.' }),
    serial: nullable(Type.String()),
    cardId: nullable(Type.String()),
    code: nullable(Type.String({ description: 'Why this card cannot be taken in.' })),
    detail: nullable(Type.String()),
    duplicate: Type.Boolean({ description: 'Another card has the same key.' }),
  },
  { $id: 'CardImportLine', examples: [example.report[0]] },
);
const CardImportSchema = Type.Object(
  {
    id: Type.String(),
    state: oneOf(['checked', 'proposed', 'done', 'refused'], {
      description: 'checked: a dry run. Of one that is done all cards are there; of any other none is.',
    }),
    acceptDuplicates: Type.Boolean(),
    progress: Type.Object({ done: Type.Integer(), total: Type.Integer() }),
    createdBy: ref(OperatorRef),
    createdAt: time(),
    finishedAt: nullable(time()),
    report: nullable(Type.Array(ref(LineReportSchema), { description: 'Line by line, once it is known.' })),
  },
  { $id: 'CardImport', examples: [example] },
);
/** What the wire has is text; the parsers below make a {@link ParsedFile} of it, and nothing else is taken. */
const ImportFile = Type.Unsafe<unknown>({
  $id: 'CardImportFile',
  description: 'Text: CSV whose first line names the columns, or one JSON object a line.',
  examples: [
    'serial,person,cardProfile,administratorKey\nVSC-00042,mary.major@example.com,minidriver-aes,eyJhbGciOi…\n',
  ],
});

/** Only the parsers make one: a JSON body of the same shape has not been through their bounds. */
class ParsedFile {
  readonly lines: readonly ImportLine[];
  constructor(lines: readonly ImportLine[]) {
    this.lines = lines;
  }
}

export const cardImportComponents = [LineReportSchema, CardImportSchema, ImportFile];

export interface CardImportDeps {
  readonly imports: CardImports;
  readonly importService: ImportService;
  readonly runtime: Runtime;
  /** Of what goes on after the answer. */
  readonly onUnsettled: (error: unknown) => void;
}

const FORMATS: Readonly<Record<string, Format>> = { 'text/csv': 'csv', 'application/x-ndjson': 'json-lines' };

export function registerCardImportRoutes(app: App, deps: CardImportDeps): void {
  const { imports, importService, runtime } = deps;
  for (const [type, format] of Object.entries(FORMATS)) {
    app.addContentTypeParser(
      type,
      async (_request: unknown, payload: AsyncIterable<Uint8Array>) =>
        new ParsedFile(await readImport(payload, format)),
    );
  }

  async function show(importId: string): Promise<Static<typeof CardImportSchema>> {
    const found = await imports.find(importId);
    if (found === null) throw new DomainError('not-found', 'not-found', 'There is no such import.');
    return toBody(found);
  }

  app.post(
    '/api/v1/card-imports',
    {
      config: { permission: 'cards:register', act: 'card-import.proposed' },
      schema: {
        operationId: 'importCards',
        summary: 'Take many existing cards under management at once: all of them, or none.',
        description:
          'Up to 500 cards, as `text/csv` (RFC 4180, the first line names the columns) or `application/x-ndjson`. Fields: serial, person (user principal name), device (host name or id), cardProfile, algorithm, challengeMode, administratorKey and puk (sealed, as in POST /api/v1/cards), diversifier, keyCheckValue, takeOver (yes: others know the key, and the agent of the device changes it before the card is used). Keys in clear are refused.',
        tags: ['cards'],
        consumes: Object.keys(FORMATS),
        querystring: closed({
          dryRun: Type.Optional(Type.Boolean({ description: 'Judge every line and change nothing.' })),
          acceptDuplicates: Type.Optional(Type.Boolean({ description: 'Also keys that another card has.' })),
          id: Type.Optional(
            id<string>({ description: 'Of the import, chosen by the caller: sent again, it is the same import.' }),
          ),
        }),
        body: ref(ImportFile),
        response: { 200: ref(CardImportSchema), 202: ref(CardImportSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      if (!(request.body instanceof ParsedFile)) {
        throw new DomainError('invalid', 'field-invalid', `Send ${Object.keys(FORMATS).join(' or ')}.`);
      }
      const { lines } = request.body;
      const intent = intentOf(request);
      const { dryRun, acceptDuplicates = false, id: importId = runtime.newId() } = request.query;
      const input = { id: importId.toLowerCase(), acceptDuplicates, lines };
      if (dryRun === true) return toChecked(input, await importService.check(intent, input), intent, runtime.now());
      await importService.propose(intent, input);
      // What this can't finish now (a vault that is away, a crash), the worker does.
      importService.settle(intent, input.id).catch(deps.onUnsettled);
      reply.code(202).header('location', `/api/v1/card-imports/${input.id}`);
      return show(input.id);
    },
  );

  app.get(
    '/api/v1/card-imports/:importId',
    {
      config: { permission: 'cards:register', etag: true },
      schema: {
        operationId: 'getCardImport',
        summary: 'How far an import is, and what became of each line.',
        tags: ['cards'],
        params: closed({ importId: id<string>() }),
        response: { 200: ref(CardImportSchema), default: ref(Problem) },
      },
    },
    async (request) => show(request.params.importId),
  );
}

function toBody(found: CardImport): Static<typeof CardImportSchema> {
  const { id: importId, state, acceptDuplicates, lineCount, report, createdBy, createdAt, finishedAt } = found;
  return {
    id: importId,
    state,
    acceptDuplicates,
    progress: { done: state === 'done' ? lineCount : 0, total: lineCount },
    createdBy,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    report: report === null ? null : [...report],
  };
}

function toChecked(
  input: { readonly id: string; readonly acceptDuplicates: boolean },
  report: readonly LineReport[],
  { actor }: Intent,
  now: Date,
): Static<typeof CardImportSchema> {
  const total = report.length;
  return {
    id: input.id,
    state: isRight(report, input.acceptDuplicates) ? 'checked' : 'refused',
    acceptDuplicates: input.acceptDuplicates,
    progress: { done: 0, total },
    createdBy: { id: actor.id, name: actor.name },
    createdAt: now.toISOString(),
    finishedAt: now.toISOString(),
    report: report.map((line) => ({ ...line, cardId: null })),
  };
}
