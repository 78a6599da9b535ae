import type { Era } from './ollama-version.ts';

/** How much a person wants to know it. */
export type Level = 'info' | 'warn' | 'error';

/** What a line says. Numbers have their unit in their name; a size is in bytes. */
export type Facts = Readonly<Record<string, string | number>>;

interface Row {
  readonly level: Level;
  /** One sentence for people. */
  readonly says: string;
  /** How each era words it; its named groups are the facts. */
  readonly words: Readonly<Partial<Record<Era, RegExp>>>;
}

const row = (level: Level, says: string, words: Row['words']): Row => ({ level, says, words });
const both = (words: RegExp): Row['words'] => ({ 'llama runner': words, 'llama-server': words });

/**
 * Every line of `ollama serve` that tells us something, in the words of both eras. Rows are tried in this order against
 * the line without its time, level and source, and are anchored there: what another line quotes is not the event.
 * Pure.
 */
export const table = {
  'port-taken': row(
    'warn',
    'Another program has its port.',
    both(/^Error: listen \w+ (?<address>\S+): bind: address already in use/),
  ),
  'unknown-flag': row(
    'error',
    'It was called with a flag that it does not know.',
    both(/^Error: unknown (?:shorthand )?(?:flag|command):? (?<flag>\S+)/),
  ),
  'server-config': row(
    'info',
    'The settings as they arrived.',
    both(/^msg="server config" env="map\[(?<environment>.*)\]"/),
  ),
  pruned: row(
    'warn',
    'It deleted parts of models that no manifest names; in a shared store nothing may be deleted.',
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
    both(/^msg="inference compute" id=\S+ library=cpu .*?total="(?<totalBytes>[^"]+)"/),
  ),
  // From 0.13 on with `filter_id`, which has the token of our mask where the id is only a number.
  'compute-device': row(
    'info',
    'It found a GPU.',
    both(
      /^msg="inference compute" id=(?<id>\S+)(?: filter_id=(?<filter>\S*))? library=(?<library>\S+) .*?total="(?<totalBytes>[^"]+)" available="(?<availableBytes>[^"]+)"/,
    ),
  ),
  // Not "user overrode visible devices": it was us.
  'gpu-trouble': row(
    'warn',
    'It had trouble with its GPUs or their free memory; what it misses goes to the CPU.',
    {
      'llama runner':
        /^msg="(?<what>failure during GPU discovery|unable to refresh free memory|gpu VRAM usage didn't recover within timeout)/,
      'llama-server':
        /^msg="(?<what>failure during llama-server GPU discovery|llama-server GPU discovery watchdog timed out|llama-server discovery: timed out|unable to refresh free memory|gpu VRAM usage didn't recover within timeout)/,
    },
  ),
  // From 0.15.5 on in the words of the newer era.
  'default-context': row('info', 'The size of its GPUs decides the context of those who ask for none.', {
    'llama runner':
      /^msg="(?:entering low vram mode" "total vram"|vram-based default context" total_vram)="(?<vramBytes>[^"]+)"/,
    'llama-server':
      /^msg="vram-based default context" total_vram="(?<vramBytes>[^"]+)" default_num_ctx=(?<contextTokens>\d+)/,
  }),
  'load-start': row('info', 'It begins to load a model.', {
    'llama runner': /^msg="starting (?:runner|llama server)" cmd=/,
    'llama-server': /^msg="starting llama-server" cmd=/,
  }),
  'load-phase': row('info', 'The load goes on.', {
    'llama runner': /^msg="waiting for server to become available" status="(?<status>[^"]+)"/,
    'llama-server': /^msg="waiting for llama-server to become available" status="(?<status>[^"]+)"/,
  }),
  // The newer era says so once for every request that waited.
  'loaded-in': row('info', 'The model is loaded.', {
    'llama runner': /^msg="llama runner started in (?<seconds>[\d.]+) seconds"/,
    'llama-server': /^msg="llama-server started in (?<seconds>[\d.]+) seconds"/,
  }),
  offload: row(
    'info',
    'So many layers are on the GPUs.',
    both(/^(?:msg="|(?:\w+ +)?\w+: +)offloaded (?<gpuLayers>\d+)\/(?<allLayers>\d+) layers to GPU/),
  ),
  buffers: row('info', 'It took memory.', {
    'llama runner':
      /^(?:msg="(?<of>model weights|kv cache|compute graph)" device=(?<on>\S+) size="(?<sizeBytes>[^"]+)"|\w+: +(?<device>\S+) +(?<what>\w+) buffer size *= *(?<bufferBytes>[\d.]+ MiB))/,
    'llama-server':
      /^(?:\w+ +)?\w+: +(?<device>\S+) +(?<what>\w+) buffer size *= *(?<bufferBytes>[\d.]+ MiB)/,
  }),
  evicting: row(
    'warn',
    'It throws out a loaded model to make room for another.',
    both(/^msg="[^"]*\bevicting (?:a model|all other models)|^msg="[^"]*available memory, evicting"/),
  ),
  'context-shrunk': row('warn', 'The context did not fit, and it took a smaller one.', {
    'llama-server':
      /^msg="[^"]*reducing automatic context.*? old_num_ctx=(?<oldTokens>\d+).*? new_num_ctx=(?<newTokens>\d+)/,
  }),
  'truncated-prompt': row(
    'error',
    'It cut off the beginning of a prompt that was too long, and told nobody.',
    both(
      /^msg="truncating input prompt" limit=(?<limitTokens>\d+) prompt=(?<promptTokens>\d+)(?: keep=\d+ new=(?<keptTokens>\d+))?/,
    ),
  ),
  'load-aborted': row('warn', 'It gave up a load because nobody waited for it any more.', {
    'llama runner':
      /^msg="client connection closed before server finished loading|^msg="(?:Load failed|error loading llama server)".*context canceled/,
    'llama-server':
      /^msg="client connection closed before llama-server finished loading|^msg="Load failed".*context canceled/,
  }),
  'load-failed': row('error', 'A load failed.', {
    'llama runner': /^msg="(?:Load failed|error loading llama server)".*? error="(?<why>[^"]+)/,
    'llama-server': /^msg="Load failed".*? error="(?<why>[^"]+)/,
  }),
  // Said when an older error is remembered, of every runner that is unloaded; the kernel's killer looks the same.
  'runner-killed': row('warn', 'The process that held the model was killed: unloaded, or out of memory.', {
    'llama runner': /^msg="llama runner terminated" error="signal: killed"/,
    'llama-server': /^msg="llama-server terminated" error="signal: killed"/,
  }),
  // Only of one that left last words: a silent death is told by `runner-gone` at the next request, or by nothing.
  'runner-died': row('error', 'The process that held the model has ended.', {
    'llama runner': /^msg="llama runner terminated"(?: error="(?<how>[^"]+))?/,
    'llama-server': /^msg="llama-server terminated"(?: error="(?<how>[^"]+))?/,
  }),
  'runner-gone': row('warn', 'It looked for the process that held the model, and that one had ended.', {
    'llama runner': /^msg="llama runner process no longer running"(?:.*? string="(?<how>[^"]+))?/,
    'llama-server': /^msg="llama-server process no longer running"(?:.*? string="(?<how>[^"]+))?/,
  }),
  'out-of-memory': row(
    'error',
    'There was not enough memory.',
    both(
      /^\w+: allocating (?<neededBytes>[\d.]+ MiB) on device (?<device>\d+): \w+ failed|^\w+: failed to allocate (?<on>\S+) buffer|^(?:CUDA|ROCm) error: out of memory|^msg="(?:runtime OOM detected|model request too large for system)/,
    ),
  ),
  'last-words': row(
    'error',
    'The process that held the model failed.',
    both(
      /^(?:\S+:\d+: )?(?<what>(?:CUDA|ROCm) error|GGML_ASSERT|panic|fatal error|SIG(?:SEGV|ABRT|BUS|ILL|FPE))\b/,
    ),
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

/** In the words of either era: a log outlives an upgrade. Undefined for the many lines that tell us nothing. */
export function readLine(line: string): Told | undefined {
  const rest = line.replace(/^time=\S+ level=\S+ (?:source=\S+ )?/, '');
  for (const { name, level, says, patterns } of rows) {
    for (const pattern of patterns) {
      const found = pattern.exec(rest);
      if (found !== null) return { name, level, says, facts: factsOf(found.groups ?? {}) };
    }
  }
  return undefined;
}

const factsOf = (groups: Readonly<Record<string, string | undefined>>): Facts =>
  Object.fromEntries(
    Object.entries(groups).flatMap(([name, text]) =>
      text === undefined || text === '""' ? [] : [[name, toFact(name, text)]],
    ),
  );

function toFact(name: string, text: string): string | number {
  if (name.endsWith('Bytes')) return toBytes(text);
  return /(?:Tokens|Layers|blobs|seconds)$/.test(name) ? Number(text) : text;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** "79.3 GiB" in bytes; NaN for what is no size. */
function toBytes(text: string): number {
  const [number = '', unit = ''] = text.split(' ');
  const power = units.indexOf(unit);
  return power < 0 ? Number.NaN : Math.round(Number(number) * 1024 ** power);
}
