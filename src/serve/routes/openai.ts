/** OpenAI's API for the instances of this job, in the words of Ollama's: see `openai/chat.ts` for why. */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { AnswerForm } from '../gateway/answer-form.ts';
import { callerOf } from '../gateway/caller.ts';
import { goneSignal } from '../client-gone.ts';
import { readHeldBodies } from '../gateway/held-bodies.ts';
import { listModels, modelAnswer, toOpenaiModel } from '../gateway/model-lists.ts';
import { type Json, readBody, roleOf } from '../gateway/ollama-body.ts';
import { beginTelling, toChatChunks, toChatCompletion } from '../openai/answers.ts';
import { toCompletion, toCompletionChunks } from '../openai/answers.ts';
import { chatCompletionBody, toOllamaChat } from '../openai/chat.ts';
import { asEvents, asObject } from '../openai/forms.ts';
import {
  asEmbeddings,
  completionBody,
  embeddingsBody,
  toOllamaEmbed,
  toOllamaGenerate,
} from '../openai/texts.ts';
import { isSameModel } from '../../models/name.ts';
import { refusePostponed } from '../postponed.ts';
import { refusal } from '../problem.ts';
import { anyType, type OllamaParts, toQuestion, wantedBy } from './ollama.ts';

interface Translation<Body extends Json & { model: string }> {
  readonly shape: z.ZodType<Body>;
  /** Where it goes. */
  readonly path: string;
  translate(body: Body): Json;
  form(body: Body): AnswerForm;
}

type Chat = z.infer<typeof chatCompletionBody>;

const chat: Translation<Chat> = {
  shape: chatCompletionBody,
  path: '/api/chat',
  translate: toOllamaChat,
  form: ({ model, stream, stream_options: wants }) => {
    const begin = () => beginTelling('chatcmpl', model, wants?.include_usage === true);
    if (stream !== true) return asObject('/v1/chat/completions', (whole) => toChatCompletion(begin(), whole));
    return asEvents('/v1/chat/completions', () => {
      const telling = begin();
      return (line) => toChatChunks(telling, line);
    });
  },
};

const completions: Translation<z.infer<typeof completionBody>> = {
  shape: completionBody,
  path: '/api/generate',
  translate: toOllamaGenerate,
  form: ({ model, stream, stream_options: wants }) => {
    const begin = () => beginTelling('cmpl', model, wants?.include_usage === true);
    if (stream !== true) return asObject('/v1/completions', (whole) => toCompletion(begin(), whole));
    return asEvents('/v1/completions', () => {
      const telling = begin();
      return (line) => toCompletionChunks(telling, line);
    });
  },
};

const embeddings: Translation<z.infer<typeof embeddingsBody>> = {
  shape: embeddingsBody,
  path: '/api/embed',
  translate: toOllamaEmbed,
  form: asEmbeddings,
};

export function addOpenaiRoutes(app: FastifyInstance, parts: OllamaParts): void {
  const { upstream, gateway, budget, postponed } = parts;
  void app.register((scope, _options, done) => {
    const holdOf = readHeldBodies(scope, budget);
    const add = <Body extends Json & { model: string }>(route: string, how: Translation<Body>): void => {
      scope.post<{ Body: Buffer }>(route, anyType, async (request, reply) => {
        const body = readBody(request.body, how.shape);
        const role = roleOf(body.model, upstream.models, wantedBy(how.path));
        const why = role === 'generate' ? postponed() : undefined;
        if (why !== undefined) return refusePostponed(reply, why);
        const translated = { ...how.translate(body), model: body.model };
        const asked = { path: how.path, body: translated, role, caller: callerOf(request, body) };
        const question = toQuestion({ ...asked, hold: holdOf(reply) }, upstream);
        return await gateway.ask({ ...question, form: how.form(body) }, reply);
      });
    };
    add('/v1/chat/completions', chat);
    add('/v1/completions', completions);
    add('/v1/embeddings', embeddings);
    done();
  });
  app.get('/v1/models', async (_request, reply) => {
    const models = await listModels(gateway.connections, upstream, '/api/tags', goneSignal(reply));
    return { object: 'list', data: models.map(toOpenaiModel) };
  });
  // A name may have slashes in it.
  app.get<{ Params: { '*': string } }>('/v1/models/*', async ({ params: { '*': id } }, reply) => {
    const models = await listModels(gateway.connections, upstream, '/api/tags', goneSignal(reply));
    const found = models.find(({ name }) => isSameModel(name, id));
    if (found !== undefined) return modelAnswer.parse({ ...toOpenaiModel(found), id });
    throw refusal({
      status: 404,
      code: 'not-found',
      message: `Cannot describe model ${JSON.stringify(id)}: this job serves ${models.map(({ name }) => name).join(' and ')}, one of them is wanted`,
      hint: 'GET /v1/models lists them',
    });
  });
}
