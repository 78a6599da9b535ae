/** One question and its answer, as they come: every state that the box can be in, and how one becomes another. Pure. */

export type Asking =
  | { readonly state: 'empty' }
  /** Sent; `text` is what has been said so far. */
  | {
      readonly state: 'answering';
      readonly question: string;
      readonly passages: number | null;
      readonly text: string;
    }
  | { readonly state: 'answered'; readonly question: string; readonly record: AnswerShown }
  /** The asker did not want more of it. */
  | { readonly state: 'stopped'; readonly question: string; readonly text: string }
  /** `problem.kind` says whether asking again helps, and when. */
  | { readonly state: 'failed'; readonly question: string; readonly text: string; readonly problem: Problem };

export interface Problem {
  /** `postponed`: the generator is not there yet; `busy`: too many questions at once; `lost`: nobody answered. */
  readonly kind: 'postponed' | 'busy' | 'lost' | 'refused';
  readonly message: string;
  readonly hint: string | null;
  /** After how many seconds to ask again, where somebody said. */
  readonly seconds: number | null;
}

/** Of the record of an answered question what is shown. */
export interface AnswerShown {
  readonly answer: string;
  readonly citations: readonly CitationShown[];
  readonly sentences: readonly SentenceShown[];
  readonly retrieved: number;
  readonly reranked: boolean;
  readonly model: string;
  readonly timings_ms: Readonly<Record<string, number>>;
}

export interface CitationShown {
  readonly n: number;
  readonly title: string;
  readonly file: string;
  readonly page: number | null;
  readonly text: string;
}

export interface SentenceShown {
  readonly text: string;
  readonly support: string;
}

export type AskingEvent =
  | { readonly event: 'asked'; readonly question: string }
  /** A line of `/query/stream`. */
  | { readonly event: 'line'; readonly line: unknown }
  /** An answer that is no stream, by its status; `seconds` is its Retry-After. */
  | {
      readonly event: 'refused';
      readonly status: number;
      readonly body: unknown;
      readonly seconds: number | null;
    }
  /** The connection broke, or ended before the record. */
  | { readonly event: 'lost' }
  | { readonly event: 'stopped' };

export function nextAsking(asking: Asking, event: AskingEvent): Asking {
  if (event.event === 'asked')
    return { state: 'answering', question: event.question, passages: null, text: '' };
  // Whatever comes after the end is of a question that nobody waits for any more.
  if (asking.state !== 'answering') return asking;
  const { question, text } = asking;
  switch (event.event) {
    case 'line':
      return afterLine(asking, event.line);
    case 'refused':
      return { state: 'failed', question, text, problem: problemOf(event) };
    case 'lost':
      return { state: 'failed', question, text, problem: lost };
    case 'stopped':
      return { state: 'stopped', question, text };
  }
  return asking;
}

const lost: Problem = {
  kind: 'lost',
  message: 'The connection broke before the answer was complete.',
  hint: null,
  seconds: null,
};

function afterLine(asking: Extract<Asking, { state: 'answering' }>, line: unknown): Asking {
  if (!isObject(line)) return asking;
  const { references, response, record, error } = line;
  if (Array.isArray(references)) return { ...asking, passages: references.length };
  if (typeof response === 'string') return { ...asking, text: asking.text + response };
  if (isRecord(record)) return { state: 'answered', question: asking.question, record };
  if (error !== undefined)
    return {
      state: 'failed',
      question: asking.question,
      text: asking.text,
      problem: problemOf({ status: 500, body: line, seconds: null }),
    };
  return asking;
}

function problemOf({
  status,
  body,
  seconds,
}: Omit<Extract<AskingEvent, { event: 'refused' }>, 'event'>): Problem {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
  const { message, hint } = error;
  const kind = status === 429 ? 'busy' : status === 503 && seconds !== null ? 'postponed' : 'refused';
  return {
    kind,
    message: typeof message === 'string' ? message : `The endpoint answered with status ${status}.`,
    hint: typeof hint === 'string' ? hint : null,
    seconds,
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isRecord = (value: unknown): value is AnswerShown =>
  isObject(value) &&
  typeof value['answer'] === 'string' &&
  Array.isArray(value['citations']) &&
  Array.isArray(value['sentences']);
