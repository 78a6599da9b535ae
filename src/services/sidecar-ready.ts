/** Whether a Python child can work, proven by one real request of each kind that it will get. */
import { z } from 'zod';
import { RagError } from '../errors.ts';
import type { Channel, ProbeResult, Running } from '../supervise/spec.ts';

const readyFrame = z.object({
  ready: z.literal(true),
  pid: z.number(),
  /** `cuda:0` or `cpu`. */
  device: z.string(),
  device_name: z.string().nullish(),
  dtype: z.string(),
  load_ms: z.number(),
  torch: z.string(),
  transformers: z.string(),
  memory_bytes: z.number().nullish(),
  rerank: z.object({ kind: z.string(), model: z.string(), digest: z.string() }).nullish(),
  encode: z
    .array(
      z.object({
        name: z.string(),
        model: z.string(),
        digest: z.string(),
        dimensions: z.number().int().positive(),
        metric: z.enum(['cosine', 'dot', 'l2']),
        max_length: z.number().int().positive(),
        prefixes: z.object({ query: z.string(), passage: z.string() }).nullish(),
      }),
    )
    .default([]),
});

/** What a child tells of itself when it has loaded its models: the frame as it came. */
export type SidecarReady = z.output<typeof readyFrame>;

const fatalFrame = z.object({
  fatal: z.object({ code: z.string(), message: z.string(), hint: z.string().nullish() }),
});

export interface ProbeOptions {
  readonly gpus: readonly string[] | null;
  readonly allowCpu: boolean;
  readonly onReady: (ready: SidecarReady) => void;
}

export interface SidecarProbe {
  ask(running: Running): Promise<ProbeResult>;
  /** What the last start said before it ended itself, when that was a fault of the settings. */
  fatal(): RagError | undefined;
}

/** What one start has said so far. */
interface Said {
  ready: SidecarReady | undefined;
  fatal: RagError | undefined;
  readonly answers: Map<unknown, unknown>;
  /** Listens no more: what comes from then on is large, and answers to others. */
  stop: () => void;
}

export function makeSidecarProbe({ gpus, allowCpu, onReady }: ProbeOptions): SidecarProbe {
  let channel: Channel | undefined;
  let said: Said = silence();
  return {
    fatal: () => said.fatal,
    ask: async (running) => {
      if (running.channel === undefined) return notYet('it has no channel');
      if (running.channel !== channel) {
        channel = running.channel;
        said = listen(channel);
      }
      if (said.fatal !== undefined) return { outcome: 'fatal', error: said.fatal };
      const { ready } = said;
      if (ready === undefined) return notYet('it has not said that it is ready');
      if (ready.device === 'cpu' && !allowCpu) return { outcome: 'fatal', error: onCpu(gpus) };
      const proof = prove(channel, ready, said.answers);
      if (proof.outcome === 'ready') {
        said.stop();
        onReady(ready);
      }
      return proof;
    },
  };
}

const silence = (): Said => ({
  ready: undefined,
  fatal: undefined,
  answers: new Map(),
  stop: () => undefined,
});

/** From the first look on, so that nothing is lost between two looks. */
function listen(channel: Channel): Said {
  const said = silence();
  said.stop = channel.onMessage((message) => {
    const fatal = fatalFrame.safeParse(message);
    if (fatal.success) said.fatal = asError(fatal.data.fatal);
    else if (said.ready === undefined) said.ready = readyFrame.safeParse(message).data;
    else if (typeof message === 'object' && message !== null && 'id' in message)
      if (isTrial(message.id)) said.answers.set(message.id, message);
  });
  return said;
}

/** Requests count from 1. */
const isTrial = (id: unknown): boolean => typeof id === 'number' && id < 0;

/** Asks each kind of request once; ready when all of them are answered as they should be. */
function prove(channel: Channel, ready: SidecarReady, answers: Map<unknown, unknown>): ProbeResult {
  for (const trial of trialsFor(ready)) {
    if (!answers.has(trial.id)) {
      answers.set(trial.id, undefined);
      channel.send(trial);
    }
    const answer = answers.get(trial.id);
    if (answer === undefined) return notYet(`it has not answered its first ${trial.op}`);
    if (!isGood(trial.op, answer)) {
      answers.delete(trial.id);
      return notYet(`its first ${trial.op} gave ${JSON.stringify(answer).slice(0, 300)}`);
    }
  }
  return { outcome: 'ready' };
}

type Trial = { readonly id: number; readonly op: 'rerank' | 'encode' } & Readonly<Record<string, unknown>>;

const question = 'Is it ready?';

function trialsFor({ rerank, encode }: SidecarReady): Trial[] {
  const passage = { title: '', text: 'It is ready.' };
  const trials = [
    ...(rerank == null ? [] : [{ op: 'rerank', query: question, passages: [passage.text, ''] } as const]),
    // Questions and passages may have a model each.
    ...encode.flatMap(({ name: encoder }) => [
      { op: 'encode', encoder, kind: 'query', texts: [question] } as const,
      { op: 'encode', encoder, kind: 'passage', texts: [passage] } as const,
    ]),
  ];
  return trials.map((trial, at) => ({ id: -1 - at, ...trial }));
}

const goodAnswers = {
  rerank: z.object({ scores: z.array(z.number().min(0).max(1)).length(2) }),
  encode: z.object({ dimensions: z.number().positive(), vectors: z.string().min(1) }),
};

const isGood = (op: Trial['op'], answer: unknown): boolean => goodAnswers[op].safeParse(answer).success;

const notYet = (reason: string): ProbeResult => ({ outcome: 'not-yet', reason });

const asError = ({ message, hint }: z.output<typeof fatalFrame>['fatal']): RagError =>
  new RagError('preflight', message, { hint: hint ?? undefined });

const onCpu = (gpus: readonly string[] | null): RagError =>
  new RagError(
    'preflight',
    `Cannot start the Python child: PyTorch runs on the CPU, ${gpus === null || gpus.length === 0 ? 'a GPU' : `GPU ${gpus.join(',')}`} is wanted`,
    {
      hint: 'python3 -c "import torch; print(torch.version.cuda, torch.cuda.is_available())"   # or RAG_ALLOW_CPU=1',
    },
  );
