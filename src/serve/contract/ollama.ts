/** Ollama's own API and its OpenAI-compatible one, passed through: their answers are Ollama's. */
import { z } from 'zod';
import { answer, errorSchema, events, json, lines, problem, type RouteContract } from './route.ts';

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

const problems: RouteContract['answers'] = {
  422: problem('The body is no JSON object, or names a model that this job does not serve.'),
  503: problem('The server of this model is not up, or its turn has not come.', {
    'Retry-After': 'Seconds until it can be had, where that is known.',
  }),
};

const refusedByOllama = answer(
  'What Ollama itself refuses, as it says it.',
  json(z.union([errorSchema, z.looseObject({ error: z.unknown() })])),
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
    ...problems,
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
    422: problem("No model of this job is Ollama's."),
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

const models = z.object({ models: z.array(z.looseObject({ name: z.string() })) });
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
    { prompt: z.string(), stream: openaiStream },
    { model: chatModel, prompt: 'A usual dose is' },
  ),
  ask('/v1/embeddings', 'Vectors of texts.', { input }, { model: embedModel, input: 'a text' }),
  look('/api/tags', 'The models of this job.', models),
  look('/api/ps', 'The models that are loaded.', models),
  look('/api/version', "Ollama's version.", z.looseObject({ version: z.string() })),
  look(
    '/v1/models',
    'The models of this job.',
    z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) }),
  ),
  ...['pull', 'push', 'create', 'copy'].map((action) => fixed(action)),
  fixed('delete', 'DELETE'),
  fixed('blobs/*'),
];
