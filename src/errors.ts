/**
 * One error class and one table. A code says what kind of failure it is; the table says how the process
 * ends because of it (SPEC: exit codes) and is the source of docs/errors.md.
 *
 * Match on `code`, never on the class: an error that crossed a thread or a process keeps its code and
 * loses its prototype.
 */
export const errorTable = {
  'too-many-failed': {
    exit: 3,
    meaning: 'The work is done, but more documents or questions failed than RAG_MAX_FAILED allows.',
  },
  usage: { exit: 64, meaning: 'A verb, flag or argument is wrong.' },
  'no-input': { exit: 65, meaning: 'No input could be read.' },
  'service-failed': { exit: 69, meaning: 'A service never became ready, or spent its restart budget.' },
  bug: { exit: 70, meaning: 'The program broke one of its own rules. Please report it with the log.' },
  'disk-full': { exit: 74, meaning: 'A disk or a quota is full.' },
  stopped: { exit: 75, meaning: 'Stopped (warning, TERM, stop) before the work was done: run it again.' },
  settings: { exit: 78, meaning: 'A setting is wrong.' },
  preflight: {
    exit: 78,
    meaning: 'Something that the job needs is not there: a model, a program, a GPU, a folder.',
  },
  'index-mismatch': {
    exit: 78,
    meaning: 'The index was made by another encoder or chunker than the one in force.',
  },
  'index-damaged': { exit: 74, meaning: 'A file of the index cannot be read.' },
  'model-refused': {
    exit: 69,
    meaning: 'A model server answered with an error that repeating will not cure.',
  },
  'model-unavailable': {
    exit: 69,
    meaning: 'A model server did not answer, or ended its answer in the middle.',
  },
  'bad-vector': { exit: 69, meaning: 'An embedding is not finite or has the wrong size.' },
  'too-long': { exit: 69, meaning: 'A text is longer than the context of the model.' },
  'bad-document': {
    exit: 65,
    meaning: 'A document cannot be read: damaged, encrypted, too large, of an unknown type.',
  },
  'no-way': { exit: 69, meaning: 'A running supervisor cannot be reached from here.' },
  frozen: { exit: 64, meaning: 'The documents of this job do not change.' },
  'too-large': { exit: 65, meaning: 'What was sent is larger than the job takes.' },
  forbidden: { exit: 77, meaning: 'The caller is not the owner and holds no token.' },
  aborted: { exit: 75, meaning: 'The work was cancelled.' },
} as const satisfies Record<string, { exit: number; meaning: string }>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorDetails {
  /** What to do about it, in a form that can be pasted. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * @param message `Cannot <do what>: <what is>, <what is wanted>`, one line.
 */
export class RagError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RagError';
    this.code = code;
    this.hint = details.hint;
  }
}

/** An error as data, fit for JSON and for messages between threads and processes. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

const isCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorTable, code);

/** The code of an error of ours, whichever thread or process it came from; undefined for any other value. */
export function codeOf(error: unknown): ErrorCode | undefined {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return isCode(code) ? code : undefined;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `bug` for whatever is not an error of ours: an unknown failure is one we did not think of. */
export function toPlain(error: unknown): PlainError {
  const hint = typeof error === 'object' && error !== null && 'hint' in error ? error.hint : undefined;
  return {
    code: codeOf(error) ?? 'bug',
    message: messageOf(error),
    ...(typeof hint === 'string' ? { hint } : {}),
  };
}

export const fromPlain = (plain: PlainError): RagError =>
  new RagError(plain.code, plain.message, { hint: plain.hint });

export const exitCodeOf = (error: unknown): number => errorTable[codeOf(error) ?? 'bug'].exit;
