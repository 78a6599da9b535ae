/** A model server that is ready, and the model it holds. */
export interface ModelEndpoint {
  readonly url: string;
  readonly model: string;
}

/** One of the servers of a run, by the name that its plan gives it. */
export interface LiveInstance extends ModelEndpoint {
  readonly id: string;
}

export type Role = 'embed' | 'generate';

/**
 * Live endpoints by role, fed by the job as services become ready and go. `until*` waits for one, through
 * restarts too, until the signal aborts.
 */
export interface Roster {
  set(role: Role, id: string, endpoint: ModelEndpoint | undefined): void;
  current(role: Role): ModelEndpoint | undefined;
  /** All that are live. */
  list(role: Role): readonly LiveInstance[];
  /** Told each time that one came or went. Returns what removes the listener. */
  onChange(listener: () => void): () => void;
  untilAvailable(role: Role, signal: AbortSignal): Promise<ModelEndpoint>;
}

/** Options that never differ between the preload, the probe and every call: another set makes Ollama reload. */
export interface FrozenOptions {
  readonly num_ctx: number;
  readonly num_batch?: number;
}

export interface EmbedRequest {
  readonly texts: readonly string[];
  /** Of passages, in the order of the texts, for encoders that read both; embedders of Ollama get the text alone. */
  readonly titles?: readonly string[];
  /** Queries and passages get the prefixes that the model's family was trained with. */
  readonly kind: 'query' | 'passage';
  readonly signal: AbortSignal;
}

/**
 * Vectors as they are stored: of length 1 where the encoder compares by cosine.
 *
 * @throws bad-vector, too-long, model-refused, model-unavailable (the first two name the text's position in `index`)
 */
export type Embed = (request: EmbedRequest) => Promise<Float32Array[]>;

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Yields pieces of the answer. @throws too-long, model-refused, model-unavailable (also when a stream ends unfinished) */
export type Generate = (request: {
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  /** Called at the end with the tokens of the prompt, as the server counted them; template included. */
  readonly onPromptTokens?: (tokens: number) => void;
  readonly signal: AbortSignal;
}) => AsyncIterable<string>;

/** One score in 0-1 per passage, in the order given. @throws model-unavailable */
export type Rerank = (request: {
  readonly query: string;
  readonly passages: readonly string[];
  readonly signal: AbortSignal;
}) => Promise<number[]>;
