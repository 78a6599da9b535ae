/**
 * Documents that are sent: as a form of files, as text, or as bytes by their hash which an ingest gives its names. They are
 * written to the disk as they come, and 202 is said when bytes and names are synced.
 */
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { NamedContent, UploadedDocument } from '../../library.ts';
import type { DocumentRouteParts } from './documents.ts';
import { codeOf, messageOf } from '../../errors.ts';
import { badRequest, type Problem, refuse, unreadable } from '../problem.ts';

export interface UploadRouteParts extends DocumentRouteParts {
  readonly maxUploadBytes: number;
}

/** The one POST whose body is no JSON. */
export const formPath = '/documents/upload';

const text = z.object({
  text: z.string().min(1),
  name: z
    .string()
    .nullish()
    .describe('What it is called; its extension counts as that of a file. Without one: `title`.'),
  title: z
    .string()
    .nullish()
    .describe('Of a text that is there already under this name, that of the first time stays.'),
  file_source: z.string().nullish().describe("LightRAG's word for `name`."),
});

export const textBodySchema = z.union([
  text,
  z.array(text).min(1).max(1000),
  z.object({ texts: z.array(text).min(1).max(1000) }),
]);

export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/, 'is no sha256 in hex');
export const missingBodySchema = z.object({ hashes: z.array(hashSchema).max(10_000) });
export const missingAnswerSchema = z.object({ missing: z.array(hashSchema) });
export const contentAnswerSchema = z.object({ hash: hashSchema, bytes: z.int() });

export const uploadAnswerSchema = z.object({
  documents: z.array(
    z.object({
      id: z.string().describe('`uploads//NAME`; `/documents/{rest}` takes it.'),
      name: z.string(),
      hash: hashSchema,
      bytes: z.int(),
      state: z.enum(['pending', 'processing', 'processed', 'failed', 'needs_ocr']),
    }),
  ),
});

/** A text is held in memory; a file is not. */
const maxTextBytes = 32 * 2 ** 20;
const maxFiles = 1000;

export function addUploadRoutes(app: FastifyInstance, parts: UploadRouteParts): void {
  const { library, frozen, maxUploadBytes } = parts;
  const taken = async (files: readonly NamedContent[], reply: FastifyReply): Promise<FastifyReply> => {
    const documents: readonly UploadedDocument[] = await library.upload(files);
    return reply.code(202).send({ documents });
  };
  const changing = {
    onRequest: async () => {
      if (frozen !== undefined) throw frozen;
    },
  };
  const sending = { ...changing, config: { mayBeSlow: true } };

  app.post('/documents/text', { ...changing, bodyLimit: maxTextBytes }, async ({ body }, reply) => {
    const asked = textBodySchema.safeParse(body);
    if (!asked.success)
      return refuse(
        reply,
        unreadable(asked.error, 'Send {"text": "...", "title": "..."}, or a list of them'),
      );
    const { data } = asked;
    const files: NamedContent[] = [];
    for (const one of Array.isArray(data) ? data : 'texts' in data ? data.texts : [data]) {
      const content = await library.keep(Readable.from([Buffer.from(one.text)]), { maxBytes: maxTextBytes });
      const name = one.name ?? one.file_source ?? one.title ?? `text-${content.hash.slice(0, 12)}`;
      files.push({ ...content, name, ...(one.title != null && { title: one.title }) });
    }
    return taken(files, reply);
  });

  app.post('/documents/missing', { bodyLimit: maxTextBytes }, async ({ body }, reply) => {
    const asked = missingBodySchema.safeParse(body);
    if (!asked.success) return refuse(reply, unreadable(asked.error, 'Send {"hashes": ["<sha256>", ...]}'));
    return { missing: await library.missing(asked.data.hashes) };
  });

  void app.register(async (scope) => {
    await scope.register(multipart, {
      // A file that is too large would only be cut at the limit: one byte more, and it is refused.
      limits: { files: maxFiles, fileSize: maxUploadBytes + 1, fields: 10, fieldSize: 1024 },
      preservePath: true,
    });
    scope.post(formPath, sending, async (request, reply) => {
      if (!request.isMultipart()) return refuse(reply, noForm);
      const files: NamedContent[] = [];
      for await (const { file, filename, fieldname } of unlessBroken(request.files())) {
        // Parts of this type count as files without a name, too, whatever the types say.
        const name = (filename as string | undefined) ?? fieldname;
        files.push({ ...(await library.keep(file, { maxBytes: maxUploadBytes })), name });
      }
      return files.length === 0 ? refuse(reply, noForm) : taken(files, reply);
    });
  });

  addContentRoute(app, parts, sending);
}

/** What the parser of forms finds wrong has neither a code of ours nor a status. @throws a refusal for it */
async function* unlessBroken<T>(parts: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* parts;
  } catch (error) {
    const isTold =
      codeOf(error) !== undefined || (error as { statusCode?: unknown }).statusCode !== undefined;
    throw isTold ? error : badRequest(`the form is broken (${messageOf(error)})`, 'a whole one');
  }
}

/** Bytes by their hash, as they are. */
function addContentRoute(
  app: FastifyInstance,
  { library, maxUploadBytes }: UploadRouteParts,
  sending: { readonly onRequest: () => Promise<void>; readonly config: { readonly mayBeSlow: boolean } },
): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/octet-stream', (_request, payload, ready) =>
      ready(null, payload),
    );
    scope.put<{ Params: { hash: string }; Body: Readable }>(
      '/documents/contents/:hash',
      { ...sending, bodyLimit: maxUploadBytes },
      async ({ params, headers, body }, reply) => {
        const hash = hashSchema.safeParse(params.hash);
        if (!hash.success)
          return refuse(reply, unreadable(hash.error, 'PUT /documents/contents/<sha256 in hex>'));
        const length = Number(headers['content-length'] ?? 0);
        return library.keep(body, { maxBytes: maxUploadBytes, expected: hash.data, length });
      },
    );
    done();
  });
}

const noForm: Problem = {
  status: 422,
  code: 'usage',
  message: 'Cannot take the upload: there is no file in it, a form with files is wanted',
  hint: 'curl -F file=@report.pdf .../documents/upload',
};
