/**
 * Every line of `ollama serve` that tells us something, in the words of both eras, as one table. Up to 0.24 the
 * runner is Ollama's own program and called "llama runner"; from 0.30 it is upstream's "llama-server", whose raw
 * lines stand in the same log. A parser accepts both: a log outlives an upgrade. Pure.
 */
export type Era = 'llama runner' | 'llama-server';

/** How much a person wants to know it. */
export type Level = 'info' | 'warn' | 'error';

/** What a line says. Numbers carry their unit in their name: `kvBytes`, `contextTokens`, `seconds`. */
export type Facts = Readonly<Record<string, string | number>>;

interface Row {
  readonly level: Level;
  /** One sentence for people. */
  readonly says: string;
  /** How each era words it. Its named groups are the facts; sizes such as "79.3 GiB" become bytes. */
  readonly words: Readonly<Partial<Record<Era, RegExp>>>;
}

const row = (level: Level, says: string, words: Row['words']): Row => ({ level, says, words });
const both = (words: RegExp): Row['words'] => ({ 'llama runner': words, 'llama-server': words });

/**
 * Matched in this order, against the line without its time, level and source. Anchored at the beginning wherever the
 * line allows, so that a text quoted in another line is not taken for the event itself.
 */
export const table = {
  'port-taken': row(
    'warn',
    'Another program has its port.',
    both(/^Error: listen \S+ (?<address>\S+): bind: address already in use/),
  ),
  'unknown-flag': row(
    'error',
    'It does not know what it was called with.',
    both(/^Error: unknown (?:shorthand )?(?:flag|command):? (?<what>.*)/),
  ),
  'server-config': row(
    'info',
    'The settings as they arrived.',
    both(/^msg="server config" env="map\[(?<environment>.*)\]"/),
  ),
  pruned: row(
    'warn',
    'It deleted parts of models that no manifest names: on a shared store that must not be.',
    both(/^msg="total unused blobs removed: (?<blobs>[1-9]\d*)"/),
  ),
  listening: row(
    'info',
    'It has its port; answers come later.',
    both(/^msg="Listening on (?<address>\S+) \(version (?<version>[^)]+)\)"/),
  ),
  'no-gpu': row(
    'warn',
    'It found no GPU.',
    both(/^msg="inference compute" id=\S+ library=cpu\b.*? total="(?<totalBytes>[^"]+)"/),
  ),
  'compute-device': row('info', 'It found a device to compute on.', {
    'llama runner':
      /^msg="inference compute" id=(?<id>\S+) library=(?<library>\S+).*? total="(?<totalBytes>[^"]+)" available="(?<availableBytes>[^"]+)"/,
    'llama-server':
      /^msg="inference compute" id=(?<ordinal>\S+) filter_id=(?<id>\S*) library=(?<library>\S+).*? total="(?<totalBytes>[^"]+)" available="(?<availableBytes>[^"]+)"/,
  }),
  'gpu-trouble': row('warn', 'It had trouble finding its GPUs; what it missed will run on the CPU.', {
    'llama runner':
      /^msg="?(?<what>failure during GPU discovery|unable to refresh free memory|skipping CUDA device|user overrode visible devices|gpu VRAM usage didn't recover within timeout)/,
    'llama-server':
      /^msg="?(?<what>failure during (?:llama-server )?GPU discovery|discovery watchdog timed out|timed out waiting for server startup|unable to refresh free memory|skipping CUDA device)/,
  }),
  'default-context': row('info', 'The size of its context where nobody says one.', {
    'llama runner': /^msg="entering low vram mode" "total vram"="(?<totalBytes>[^"]+)"/,
    'llama-server':
      /^msg="vram-based default context" total_vram="(?<totalBytes>[^"]+)" default_num_ctx=(?<contextTokens>\d+)/,
  }),
  'load-start': row('info', 'It begins to load a model.', {
    'llama runner': /^msg="(?:starting runner|starting llama server)" cmd=/,
    'llama-server': /^msg="starting llama-server" cmd=/,
  }),
  'load-phase': row('info', 'The load goes on.', {
    'llama runner': /^msg="waiting for server to become available" status="(?<status>[^"]+)"/,
    'llama-server': /^msg="waiting for llama-server to become available" status="(?<status>[^"]+)"/,
  }),
  'loaded-in': row('info', 'The model is loaded.', {
    'llama runner': /^msg="llama runner started in (?<seconds>[\d.]+) seconds"/,
    'llama-server': /^msg="llama-server started in (?<seconds>[\d.]+) seconds"/,
  }),
  offload: row(
    'info',
    'So many layers are on GPUs.',
    both(/^(?:msg="|\w+: +)offloaded (?<gpuLayers>\d+)\/(?<allLayers>\d+) layers to GPU/),
  ),
  buffers: row('info', 'Memory that it took.', {
    'llama runner':
      /^(?:\S+: +(?<device>\S+) +(?<what>model|KV|compute|output|RS) buffer size *= *(?<bufferBytes>[\d.]+ MiB)|msg="(?<purpose>model weights|kv cache|compute graph)" device=(?<place>\S+) size="(?<sizeBytes>[^"]+)")/,
    'llama-server':
      /^\S+: +(?<device>\S+) +(?<what>model|KV|compute|output|RS) buffer size *= *(?<bufferBytes>[\d.]+ MiB)/,
  }),
  evicting: row('warn', 'It throws out a loaded model to make room for another.', {
    'llama runner': /^msg="[^"]*requires more memory than is currently available, evicting/,
    'llama-server':
      /^msg="[^"]*(?:predicted to exceed available memory|requires more memory than is currently available), evicting/,
  }),
  'context-shrunk': row('warn', 'The context did not fit and was made smaller.', {
    'llama-server':
      /^msg="[^"]*reducing automatic context and retrying once.*?old_num_ctx=(?<oldTokens>\d+).*?new_num_ctx=(?<newTokens>\d+)/,
  }),
  'truncated-prompt': row(
    'error',
    'A prompt was too long, and its beginning was cut off silently.',
    both(
      /^msg="truncating input prompt" limit=(?<limitTokens>\d+) prompt=(?<promptTokens>\d+)(?:.*? new=(?<newTokens>\d+))?/,
    ),
  ),
  'load-aborted': row('warn', 'A load was given up.', {
    'llama runner':
      /^msg="client connection closed before (?:server|llama runner) finished loading, aborting load"|timed out waiting for llama runner to start/,
    'llama-server':
      /^msg="client connection closed before llama-server finished loading, aborting load"|timed out waiting for llama-server to start/,
  }),
  'runner-died': row('error', 'The process that holds the model has ended.', {
    'llama runner':
      /^msg="llama runner (?:terminated|process no longer running)"(?:.*? (?:error|string)="?(?<how>[^"]+))?/,
    'llama-server':
      /^msg="llama-server (?:terminated|process no longer running)"(?:.*? (?:error|string)="?(?<how>[^"]+))?/,
  }),
  'out-of-memory': row(
    'error',
    'There is not enough memory.',
    both(
      /cudaMalloc failed|CUDA error: out of memory|runtime OOM detected|(?:model requires more system memory \((?<neededBytes>[^)]+)\) than is available \((?<availableBytes>[^)]+)\))|^\S+: failed to allocate/,
    ),
  ),
  'runner-crashing': row(
    'error',
    'The process that holds the model failed.',
    both(/^(?:\S+:\d+: )?(?<what>(?:CUDA|ROCm) error|GGML_ASSERT|panic: |fatal error: |SIG[A-Z]+: )/),
  ),
} as const satisfies Readonly<Record<string, Row>>;

export type LineName = keyof typeof table;

/** What one line told. */
export interface Told {
  readonly name: LineName;
  readonly level: Level;
  readonly says: string;
  readonly facts: Facts;
}

const rows = Object.entries(table).map(([name, { level, says, words }]) => ({
  name: name as LineName,
  level,
  says,
  patterns: [...new Set(Object.values(words))],
}));

/** Undefined for the many lines that tell us nothing. */
export function readLine(line: string): Told | undefined {
  const rest = withoutPrefix(line);
  if (rest === undefined) return undefined;
  for (const { name, level, says, patterns } of rows) {
    for (const pattern of patterns) {
      const found = pattern.exec(rest);
      if (found !== null) return { name, level, says, facts: factsOf(found.groups ?? {}) };
    }
  }
  return undefined;
}

/** Undefined for lines of debugging, which quote prompts, and for the log of requests. */
function withoutPrefix(line: string): string | undefined {
  const [prefix = '', level] = /^time=\S+ level=(\w+)\S* (?:source=\S+ )?/.exec(line) ?? [];
  return level === 'DEBUG' || level === 'TRACE' || line.startsWith('[GIN]')
    ? undefined
    : line.slice(prefix.length);
}

const isNumber = /(?:Tokens|Layers|blobs|seconds)$/;

const factsOf = (groups: Readonly<Record<string, string | undefined>>): Facts =>
  Object.fromEntries(
    Object.entries(groups).flatMap(([name, text]) => {
      if (text === undefined) return [];
      if (name.endsWith('Bytes')) return [[name, toBytes(text)]];
      return [[name, isNumber.test(name) ? Number(text) : text]];
    }),
  );

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** "79.3 GiB" in bytes; NaN for what is no size. */
function toBytes(text: string): number {
  const [number = '', unit = ''] = text.split(' ');
  const power = units.indexOf(unit);
  return power < 0 ? Number.NaN : Math.round(Number(number) * 1024 ** power);
}
