import assert from 'node:assert/strict';
import { makeEmbed } from '../../src/models/embed.ts';
import { makeRoster } from '../../src/models/roster.ts';
import type { Embed, Roster } from '../../src/models/types.ts';
import { ollamaSpec, type OllamaOptions } from '../../src/services/ollama.ts';
import type { WatchBounds } from '../../src/services/ollama-watch.ts';
import { startTree, type TreeEvent } from '../../src/supervise/tree.ts';
import type { Tree } from '../../src/supervise/spec.ts';
import { soon, type Bench } from './serving.ts';

export const id = 'ollama-embed';
const never = 1e9;
/** A machine under load answers a canary later than a pair of looks. */
const sings = { idleMs: 300, silentMs: never };

/** Looks every 10 ms; nothing but hangs under way is found. */
const bounds: WatchBounds = {
  lookMs: 10,
  flight: { idleMs: 200, silentMs: never },
  canary: sings,
  reload: sings,
  restMs: never,
  placeMs: never,
  maxDeaths: never,
};

export interface Watched {
  readonly tree: Tree;
  readonly roster: Roster;
  readonly embed: Embed;
  /** What was reported of hangs, in order. */
  readonly hangs: TreeEvent[];
  readonly restarts: () => number;
  readonly reason: () => string | null;
}

/** A server that is watched with these bounds, and ready. */
export async function startWatched(
  bench: Bench,
  knobs: Readonly<Record<string, string>>,
  changes: Partial<WatchBounds> = {},
  http: OllamaOptions['http'] = bench.http,
  other: Partial<OllamaOptions> = {},
): Promise<Watched> {
  const options = { ...bench.options(knobs), ...other, http, bounds: { ...bounds, ...changes } };
  const roster = makeRoster();
  const hangs: TreeEvent[] = [];
  const tree = bench.keep(
    startTree([ollamaSpec(options)], {
      budget: { intensity: 5, periodMs: 60_000, backoff: { baseMs: 1, capMs: 2 } },
      onEvent: (event) => void (event.event === 'hang' && hangs.push(event)),
    }),
  );
  tree.onChange(({ current }) =>
    roster.set('embed', id, current.state === 'ready' ? bench.served.at(-1) : undefined),
  );
  await tree.untilReady([id], soon());
  roster.set('embed', id, bench.served.at(-1));
  const embed = makeEmbed({ ...options, roster, prefixes: { query: '', passage: '' } });
  const status = () => tree.statuses()[0] ?? assert.fail();
  return { tree, roster, embed, hangs, restarts: () => status().restarts, reason: () => status().reason };
}

export const embedOne = ({ embed }: Watched, text: string): Promise<Float32Array[]> =>
  embed({ texts: [text], kind: 'passage', signal: soon() });

export const outcomes = ({ hangs }: Watched): unknown[] =>
  hangs.filter(({ remedy }) => remedy !== undefined).map(({ remedy, canary }) => [remedy, canary]);

/** A text that hangs the runner that gets it. */
export const poison: Readonly<Record<string, string>> = { FAKE_RUNNER_HANG: 'poison' };
