/** Ollama's own API, passed through, and OpenAI's in its words. */
import { z } from 'zod';
import { modelAnswer, modelListAnswer, modelsAnswer, versionAnswer } from '../gateway/model-lists.ts';
import {
  type Answer,
  answer,
  errorSchema,
  events,
  json,
  lines,
  openaiErrorSchema,
  problem,
  type RouteContract,
} from './route.ts';

const model = z.string().describe('A model of this job: /api/tags lists them.');

/** Whatever else Ollama knows goes on to it. */
const asked = (fields: z.ZodRawShape): z.ZodObject =>
  z.looseObject({ model, ...fields }).describe("Other fields are Ollama's.");

const message = z.looseObject({ role: z.string(), content: z.unknown() });
const ollamaStream = z.boolean().optional().describe('Lines of JSON unless it is false.');
const openaiStream = z.boolean().optional().describe('Events (`text/event-stream`) when it is true.');
const options = z
  .looseObject({})
  .optional()
  .describe(
    "Those that would load the model anew (`num_ctx`, `num_gpu`, ...) are replaced by the job's own.",
  );

const whatever = z.looseObject({});

/** Its own refusals are passed on as it says them. */
const orAsOllamaSays = (path: string, meaning: string): Answer =>
  answer(
    meaning,
    json(
      path.startsWith('/v1/')
        ? z.union([openaiErrorSchema, errorSchema])
        : z.looseObject({ error: z.union([z.string(), errorSchema.shape.error]) }),
    ),
  );

const later = { 'Retry-After': 'Seconds until it may be tried again, where that is known.' };

const problemsOf = (path: string): RouteContract['answers'] => ({
  400: orAsOllamaSays(path, 'The body is no JSON object, or not of this shape; or its model refuses it.'),
  404: orAsOllamaSays(path, 'It names a model that this job does not serve.'),
  429: problem('As many requests wait as may wait.', later),
  503: problem('The server of this model is not up, or its turn has not come.', {
    'Retry-After': 'Seconds until it can be had, where that is known.',
  }),
});

const refusedByOllama = answer(
  'What Ollama itself refuses, as it says it.',
  json(z.looseObject({ error: z.unknown() })),
);

const ask = (path: string, summary: string, fields: z.ZodRawShape, example: object): RouteContract => ({
  method: 'POST',
  path,
  group: 'ollama',
  who: 'models',
  summary,
  body: json(asked(fields), example),
  answers: {
    200: answer(
      path.startsWith('/v1/') ? "Ollama's answer, in OpenAI's shape." : "Ollama's answer.",
      json(whatever),
      ...('stream' in fields ? [path.startsWith('/v1/') ? events('data: {...}\n\n') : lines(whatever)] : []),
    ),
    ...problemsOf(path),
  },
  otherwise: refusedByOllama,
});

const look = (path: string, summary: string, schema: z.ZodType): RouteContract => ({
  method: 'GET',
  path,
  group: 'ollama',
  who: 'models',
  summary,
  answers: {
    200: answer("Ollama's answer.", json(schema)),
    404: problem("This job has no such model, or none of Ollama's."),
    503: problem('No server of a model is up.'),
  },
  otherwise: refusedByOllama,
});

const fixed = (action: string, method: 'POST' | 'DELETE' = 'POST'): RouteContract => ({
  method,
  anyMethod: true,
  path: `/api/${action}`,
  group: 'ollama',
  who: 'everything',
  summary: 'Refused: a running job does not change its models.',
  ...(action.endsWith('*') && { params: z.object({ '*': z.string().describe('The digest.') }) }),
  answers: { 403: problem('Always.') },
});

const input = z.union([z.string(), z.array(z.string())]);
const messages = z.array(message);
const [chatModel, embedModel] = ['qwen3:235b', 'qwen3-embedding:8b'];
const said = [{ role: 'user', content: 'Which dose is usual?' }];

export const ollamaRoutes: readonly RouteContract[] = [
  ask(
    '/api/chat',
    'The next message of a conversation.',
    { messages, stream: ollamaStream, options },
    { model: chatModel, messages: said },
  ),
  ask(
    '/api/generate',
    'What follows a prompt.',
    { prompt: z.string().optional(), stream: ollamaStream, options },
    { model: chatModel, prompt: 'A usual dose is', stream: false },
  ),
  ask('/api/embed', 'Vectors of texts.', { input, options }, { model: embedModel, input: ['a text'] }),
  ask(
    '/api/embeddings',
    'The vector of one text, as older clients ask for it.',
    { prompt: z.string(), options },
    { model: embedModel, prompt: 'a text' },
  ),
  ask('/api/show', 'What a model is.', {}, { model: chatModel }),
  ask(
    '/v1/chat/completions',
    'The next message of a conversation.',
    { messages, stream: openaiStream },
    { model: chatModel, messages: said },
  ),
  ask(
    '/v1/completions',
    'What follows a prompt.',
    { prompt: z.union([z.string(), z.array(z.string()).length(1)]), stream: openaiStream },
    { model: chatModel, prompt: 'A usual dose is' },
  ),
  ask('/v1/embeddings', 'Vectors of texts.', { input }, { model: embedModel, input: 'a text' }),
  look('/api/tags', 'The models of this job.', modelsAnswer),
  look('/api/ps', 'The models that are loaded.', modelsAnswer),
  look('/api/version', "Ollama's version.", versionAnswer),
  look('/v1/models', 'The models of this job.', modelListAnswer),
  {
    ...look('/v1/models/*', 'One of them.', modelAnswer),
    params: z.object({ '*': z.string().describe('Its name.') }),
  },
  ...['pull', 'push', 'create', 'copy'].map((action) => fixed(action)),
  fixed('delete', 'DELETE'),
  fixed('blobs/*'),
];
