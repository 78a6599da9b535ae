/**
 * Counts the tokens of prompts: by the tokenizer of the model that answers where its file can be read, else by the
 * estimate, from above.
 */
import { Piscina } from 'piscina';
import { messageOf } from '../errors.ts';
import { siblingPath } from '../sibling.ts';
import { firstFactor, nextFactor } from './calibrate.ts';
import type { CountOrder } from './count-task.ts';
import { estimateTokens } from './estimate.ts';

export interface TokenCounter {
  /** Of each text. Never rejects. */
  count(texts: readonly string[]): Promise<readonly number[]>;
  /** What the server counted of a prompt, template included, of which `count` said `counted`. */
  learn(counted: number, served: number): void;
}

export interface CounterOptions {
  /** The weights of the model; null when there are none to read, with the reason. */
  readonly file: string | { readonly missing: string };
  /** Called once, when counts are estimates. */
  readonly onEstimates: (reason: string) => void;
  /** A thread that does not answer within it is not asked again. */
  readonly timeoutMs?: number;
}

/** Of 150,000 words and as many merges: 250 MB. */
const maxHeapMiB = 1024;
/** The vocabulary of an idle service need not stay. */
const idleMs = 600_000;
/** What a chat template and the joints of a prompt may add to its texts. */
const templateTokens = 128;

/** Estimates alone, above the truth as far as anybody has told it. */
export function makeEstimatingCounter(): TokenCounter {
  let factor = firstFactor;
  return {
    count: async (texts) => texts.map((text) => Math.ceil(factor * estimateTokens(text))),
    learn(counted, served) {
      factor = nextFactor(factor, counted / factor, served - templateTokens);
    },
  };
}

/** @param worker the module that runs in the thread */
export function openTokenCounter(
  { file, onEstimates, timeoutMs = 60_000 }: CounterOptions,
  worker: string = siblingPath(import.meta.url, './count-task'),
): TokenCounter & AsyncDisposable {
  const estimates = makeEstimatingCounter();
  const thread = new Piscina<CountOrder, number[]>({
    filename: worker,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: idleMs,
    recordTiming: false,
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
  });
  thread.on('error', () => {});
  let state: 'exact' | 'estimating' = 'exact';
  const giveUp = (reason: string): void => {
    if (state === 'exact') onEstimates(reason);
    state = 'estimating';
  };
  if (typeof file !== 'string') giveUp(file.missing);
  return {
    async count(texts) {
      if (state === 'exact' && typeof file === 'string')
        try {
          return await thread.run({ file, texts }, { signal: AbortSignal.timeout(timeoutMs) });
        } catch (error) {
          giveUp(messageOf(error));
        }
      return estimates.count(texts);
    },
    learn(counted, served) {
      if (state === 'estimating') estimates.learn(counted, served);
      else if (served > counted + templateTokens)
        giveUp(`the server counts ${served} tokens where its tokenizer gives ${counted}`);
    },
    async [Symbol.asyncDispose]() {
      state = 'estimating'; // what is cut off now needs no word
      await thread.destroy();
    },
  };
}
