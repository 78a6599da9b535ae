/** `/v1/completions` and `/v1/embeddings` in the words of Ollama's own routes, and vectors back. */
import { z } from 'zod';
import { RagError } from '../../errors.ts';
import { unfinished } from '../../models/ollama-errors.ts';
import { scanBegin, scanned } from '../../models/vectors.ts';
import type { AnswerForm } from '../gateway/answer-form.ts';
import { samplingFields, samplingOf } from './chat.ts';
import { asObject } from './forms.ts';
import { badRequest } from '../problem.ts';

/** Other fields have no effect. */
export const completionBody = z.looseObject({
  ...samplingFields,
  prompt: z.union([z.string(), z.array(z.string()).length(1)]),
  suffix: z.string().nullish(),
});

export const toOllamaGenerate = (body: z.infer<typeof completionBody>): Record<string, unknown> => ({
  model: body.model,
  prompt: typeof body.prompt === 'string' ? body.prompt : (body.prompt[0] ?? ''),
  ...(body.suffix == null ? {} : { suffix: body.suffix }),
  stream: true,
  options: samplingOf(body),
});

export const embeddingsBody = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.unknown()).min(1)]),
  dimensions: z.int().positive().nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  user: z.string().nullish(),
});

type EmbeddingsBody = z.infer<typeof embeddingsBody>;

/** A text that is too long is refused, as OpenAI's API does, and not cut. @throws a refusal for lists of tokens */
export function toOllamaEmbed({ model, input, dimensions }: EmbeddingsBody): Record<string, unknown> {
  const texts = typeof input === 'string' ? [input] : input;
  if (!texts.every((text) => typeof text === 'string'))
    throw badRequest(
      'input holds numbers of tokens',
      'texts',
      'LangChain for Python: OpenAIEmbeddings(check_embedding_ctx_length=False)',
    );
  return { model, input: texts, truncate: false, ...(dimensions == null ? {} : { dimensions }) };
}

export const embeddingsAnswer = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.number(),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: z.object({ prompt_tokens: z.number(), total_tokens: z.number() }),
});

/**
 * Vector by vector, as they come: 64 of 4,096 numbers are 3.4 MB, which in one go keep the event loop for 60 ms. Where
 * numbers are wanted, their text is passed on as it is.
 */
export const asEmbeddings = ({ model, input, encoding_format: format }: EmbeddingsBody): AnswerForm => ({
  ...asObject('/v1/embeddings', () => ({})),
  pieces: async function* (body) {
    const decoder = new TextDecoder();
    let scan = scanBegin;
    let count = 0;
    for await (const piece of body) {
      const rows: string[] = [];
      const text = scan.text + decoder.decode(piece, { stream: true });
      scan = scanned({ ...scan, text }, (row) => rows.push(row));
      if (rows.length === 0) continue;
      const before = count === 0 ? '{"object":"list","data":[' : ',';
      const items = rows.map((row) => {
        const embedding = format === 'base64' ? `"${asBase64(row)}"` : finite(row);
        return `{"object":"embedding","index":${count++},"embedding":${embedding}}`;
      });
      yield before + items.join(',');
    }
    if (scan.place !== 'after' || count === 0)
      throw unfinished('the answer holds no whole list of embeddings');
    const wanted = Array.isArray(input) ? input.length : 1;
    if (count !== wanted) throw wrongCount(count, wanted);
    const tokens = Number(/"prompt_eval_count"\s*:\s*(\d+)/v.exec(scan.text)?.[1] ?? 0);
    yield `],"model":${JSON.stringify(model)},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`;
  },
});

/** Whoever pairs them with his texts would take one for another. */
const wrongCount = (count: number, wanted: number): RagError =>
  new RagError(
    'bad-vector',
    `Cannot use the vectors: ${count} came for ${wanted} texts, one for each is wanted`,
  );

/** Older versions write null for what is not a number, which a client would take for 0. */
function finite(row: string): string {
  if (!row.includes('null')) return row;
  throw new RagError('bad-vector', 'Cannot use the vector of a text: it is not finite, numbers are wanted');
}

/** Single floats, little-endian. */
const asBase64 = (row: string): string =>
  Buffer.from(Float32Array.from(JSON.parse(finite(row)) as number[]).buffer).toString('base64');
