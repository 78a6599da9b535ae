/** `GET /documents`, one of them, and their removal. Ids may hold `/` and are taken as they stand in the path. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { RagError } from '../../errors.ts';
import type { Library, RemoveRequest } from '../../library.ts';
import { type Problem, refuse, unreadable } from '../problem.ts';

export interface DocumentRouteParts {
  readonly library: Library;
  /** Why the documents of this job do not change; undefined: they do. */
  readonly frozen: RagError | undefined;
}

const states = z.enum(['pending', 'processing', 'processed', 'failed', 'needs_ocr']);

export const documentsQuerySchema = z.object({
  cursor: z.string().max(16_384).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  state: states.optional(),
});

export const documentSchema = z.object({
  id: z.string(),
  title: z.string(),
  state: states,
  reason: z.string().nullable().describe('Why it is `failed` or `needs_ocr`.'),
  chunks: z
    .int()
    .describe('Those that are found: of a document that failed anew, those of its older version.'),
  updated_at: z.iso.datetime(),
  names: z.array(z.string()).optional().describe('What it was uploaded as.'),
  rows: z.int().optional().describe('Of an uploaded corpus, whose rows are documents of their own.'),
});

export const documentsAnswerSchema = z.object({
  documents: z.array(documentSchema),
  next: z.string().nullable().describe('`cursor` of the next page; null: this is the last.'),
});

/** What `index remove` takes. */
/** Each pair multiplies the patterns that a name stands for. */
const fewBraces = (name: string): boolean => (name.match(/\{/gu)?.length ?? 0) <= 4;

export const removeBodySchema = z.object({
  names: z
    .array(z.string().min(1).max(4096).refine(fewBraces, 'has too many {} in it'))
    .min(1)
    .max(10_000)
    .describe('Keys, globs of keys, `file:` and an absolute path.'),
  dry_run: z.boolean().nullish().describe('Only say which.'),
});

export const removedAnswerSchema = z.object({ removed: z.int(), documents: z.array(z.string()) });

export function addDocumentRoutes(app: FastifyInstance, { library, frozen }: DocumentRouteParts): void {
  app.get('/documents', async ({ query }, reply) => {
    const asked = documentsQuerySchema.safeParse(query);
    if (!asked.success)
      return refuse(reply, unreadable(asked.error, 'GET /documents?state=failed&limit=100'));
    const { cursor, limit, state } = asked.data;
    const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
    const { documents, next } = await library.documents({ after, limit, state });
    return { documents, next: next === null ? null : Buffer.from(next).toString('base64url') };
  });
  app.get<{ Params: { '*': string } }>('/documents/*', async ({ params: { '*': id } }, reply) => {
    const found = await library.document(id);
    return found ?? refuse(reply, notThere(id));
  });
  const remove = async (
    request: RemoveRequest,
  ): Promise<{ removed: number; documents: readonly string[] }> => {
    if (frozen !== undefined) throw frozen;
    const documents = await library.remove(request);
    return { removed: request.dryRun === true ? 0 : documents.length, documents };
  };
  app.delete<{ Params: { '*': string } }>(
    '/documents/*',
    async ({ params: { '*': id } }, reply): Promise<object | FastifyReply> => {
      const removed = await remove({ ids: [id] });
      return removed.documents.length === 0 ? refuse(reply, notThere(id)) : removed;
    },
  );
  app.post('/documents/remove', async ({ body }, reply) => {
    const asked = removeBodySchema.safeParse(body);
    if (!asked.success)
      return refuse(reply, unreadable(asked.error, 'Send {"names": ["drafts/**"], "dry_run": true}'));
    return remove({ names: asked.data.names, dryRun: asked.data.dry_run === true });
  });
}

const notThere = (id: string): Problem => ({
  status: 404,
  code: 'not-found',
  message: `Cannot find the document ${JSON.stringify(id.slice(0, 200))}: neither the index nor an upload has it`,
  hint: 'GET /documents lists the ids; in a path they are percent-encoded',
});
