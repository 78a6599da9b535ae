/**
 * What a route promises: who may ask, what is asked, what is answered. The tables of this folder are what the OpenAPI
 * document, docs/api.md, the scope of URL tokens and the tests are made from. Types, and what several tables share.
 */
import { z } from 'zod';

/** `models`: the owner and both tokens. `everything`: the owner and the header token. */
export type Who = 'anyone' | 'models' | 'everything';

export const groups = {
  retrieval: 'Retrieval and answers',
  documents: 'Documents',
  ollama: "Ollama's API and OpenAI's",
  job: 'The job',
} as const;

export interface RouteContract {
  /** GET stands for HEAD too. `anyMethod` beside it: for every other one as well. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly anyMethod?: boolean;
  /** As the router has it: `/documents/:id`, `/api/blobs/*`. */
  readonly path: string;
  readonly group: keyof typeof groups;
  readonly who: Who;
  /** One line. */
  readonly summary: string;
  /** What else its caller should know; Markdown. */
  readonly about?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: Content;
  /** By status. What every route can answer (401, 500, ...) is added in document.ts. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** With any other status. */
  readonly otherwise?: Answer;
  /** Of those that are added: what this one never answers. */
  readonly never?: readonly number[];
}

export interface Content {
  readonly type: string;
  /** Of `application/x-ndjson`: of one line. */
  readonly schema: z.ZodType;
  readonly example?: unknown;
}

export interface Answer {
  readonly meaning: string;
  /** One for each type that it may be of. */
  readonly contents: readonly Content[] | 'an error';
  readonly headers?: Readonly<Record<string, string>>;
}

export const json = (schema: z.ZodType, example?: unknown): Content => ({
  type: 'application/json',
  schema,
  example,
});

export const lines = (schema: z.ZodType, example?: unknown): Content => ({
  type: 'application/x-ndjson',
  schema,
  example,
});

/** Events as browsers know them (`text/event-stream`). */
export const events = (example: string): Content => ({
  type: 'text/event-stream',
  schema: z.string(),
  example,
});

export const text = (example: string): Content => ({ type: 'text/plain', schema: z.string(), example });

export const answer = (meaning: string, ...contents: Content[]): Answer => ({ meaning, contents });

const code = z
  .string()
  .describe('Of docs/errors.md, or `bad-request`, `not-found`, `too-large`, `busy`, ...');
const hint = z.string().nullable().describe('What to do about it, in a form that can be pasted.');

/** Named with `.meta({ id })`: the document has it once, for all routes. */
export const errorSchema = z
  .object({
    error: z.object({
      code,
      message: z.string().describe('Cannot <do what>: <what is>, <what is wanted>'),
      hint,
    }),
  })
  .meta({ id: 'Error', description: 'What is answered instead of an answer.' });

/** Clients of Ollama show `error` as a text, so that it holds the hint, too. */
export const ollamaErrorSchema = z.object({ error: z.string(), code, hint }).meta({
  id: 'OllamaError',
  description: "The same where Ollama's clients ask, in the form that they show.",
});

/** Clients of OpenAI's API show `error.message`, so that it holds the hint, too. */
export const openaiErrorSchema = z
  .object({ error: z.object({ message: z.string(), type: z.string(), param: z.null(), code, hint }) })
  .meta({ id: 'OpenaiError', description: "The same where clients of OpenAI's API ask." });

export const errorForms = ['own', 'ollama', 'openai'] as const;
export type ErrorForm = (typeof errorForms)[number];

/** Whose clients ask there. @param path with or without a query */
export const errorFormOf = (path: string): ErrorForm =>
  path.startsWith('/api/') ? 'ollama' : path.startsWith('/v1/') ? 'openai' : 'own';

const errorSchemas = {
  own: errorSchema,
  ollama: ollamaErrorSchema,
  openai: openaiErrorSchema,
} as const;

/** What is no HTTP has no route: it is answered in our own form. */
export const errorSchemaOf = (form: ErrorForm, status: number | string): z.ZodType =>
  form !== 'own' && [400, 431].includes(Number(status))
    ? z.union([errorSchemas[form], errorSchema])
    : errorSchemas[form];

/** In the form of its route. @param headers name -> meaning */
export const problem = (meaning: string, headers?: Answer['headers']): Answer => ({
  meaning,
  contents: 'an error',
  ...(headers && { headers }),
});
