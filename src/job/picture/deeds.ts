/** What a run does, told as it is done: whoever counts listens. */
import type { AnswerRecord, Failure } from '../../work.ts';
import { addLatency, type Latencies, noLatencies } from './latencies.ts';

/** Times are in seconds. */
export type Deed =
  /** More documents are through, and more chunks have their vectors; tokens are an estimate. */
  | {
      readonly deed: 'ingested';
      readonly documents: number;
      readonly chunks: number;
      readonly tokens: number;
    }
  | { readonly deed: 'set-aside'; readonly failure: Failure }
  /** An ingest that met every input has ended: what it did not set aside is well. */
  | { readonly deed: 'ingest-ended'; readonly complete: boolean }
  | { readonly deed: 'retrieved'; readonly queries: number; readonly seconds: number }
  | { readonly deed: 'answered'; readonly seconds: number; readonly timingsMs: AnswerRecord['timings_ms'] }
  /** A question or a retrieval that could not be answered. */
  | { readonly deed: 'not-answered'; readonly what: 'question' | 'retrieval'; readonly code: string }
  | {
      readonly deed: 'embedded';
      readonly kind: 'query' | 'passage';
      readonly texts: number;
      readonly seconds: number;
    }
  | {
      readonly deed: 'generated';
      readonly seconds: number;
      /** Null: nothing was said. */
      readonly firstPieceSeconds: number | null;
      readonly pieces: number;
      readonly promptTokens: number;
    }
  /** The endpoint has answered, or the client has left. `route` is the pattern, never an address with a token in it. */
  | {
      readonly deed: 'served';
      readonly route: string;
      readonly method: string;
      readonly status: number | 'left';
      readonly seconds: number;
    }
  /** From its spawn to its first answer. */
  | { readonly deed: 'became-ready'; readonly service: string; readonly seconds: number };

export interface Deeds {
  readonly tell: (deed: Deed) => void;
  /** Returns the function that removes the listener. */
  readonly listen: (listener: (deed: Deed) => void) => () => void;
}

/** @param onError told of a listener that fails: who counts must not hinder who works */
export function makeDeeds(onError: (error: unknown) => void): Deeds {
  const listeners = new Set<(deed: Deed) => void>();
  return {
    tell: (deed) => {
      for (const listener of listeners)
        try {
          listener(deed);
        } catch (error) {
          onError(error);
        }
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** All that was done since the run began; it only grows. */
export interface Counts {
  readonly documents: number;
  readonly failed: number;
  readonly chunks: number;
  readonly tokens: number;
  readonly questions: Latencies;
  readonly retrievals: Latencies;
  /** Seconds of the last start of each service. */
  readonly ready: Readonly<Record<string, number>>;
}

export const nothingDone: Counts = {
  documents: 0,
  failed: 0,
  chunks: 0,
  tokens: 0,
  questions: noLatencies,
  retrievals: noLatencies,
  ready: {},
};

export function addDeed(counts: Counts, deed: Deed): Counts {
  switch (deed.deed) {
    case 'ingested':
      return {
        ...counts,
        documents: counts.documents + deed.documents,
        chunks: counts.chunks + deed.chunks,
        tokens: counts.tokens + deed.tokens,
      };
    case 'set-aside':
      return { ...counts, failed: counts.failed + 1 };
    case 'retrieved':
      return { ...counts, retrievals: addLatency(counts.retrievals, deed.seconds, deed.queries) };
    case 'answered':
      return { ...counts, questions: addLatency(counts.questions, deed.seconds) };
    case 'became-ready':
      return { ...counts, ready: { ...counts.ready, [deed.service]: deed.seconds } };
    case 'ingest-ended':
    case 'not-answered':
    case 'embedded':
    case 'generated':
    case 'served':
      return counts;
  }
  return counts;
}
