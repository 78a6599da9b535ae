/**
 * Processes that can die, be suspended, or meet a full disk at each of their steps. All of them live in this one: whose
 * step it is tells an AsyncLocalStorage, and what they do to files and tables goes through a gate. Nothing is faked, every
 * step is done by the real function or not at all.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { connect, MergeInsertBuilder } from '@lancedb/lancedb';
import { Field, Schema, Utf8 } from 'apache-arrow';

/** What happens at a step. `full`: it fails once. */
export type Fate = 'dies' | 'sleeps' | 'full';

export interface Trouble {
  /** Steps that it does before. */
  readonly after: number;
  readonly fate: Fate;
}

class Died extends Error {}

/** A process of the model. */
export class Life {
  state: 'awake' | 'asleep' | 'dead' = 'awake';
  /** Its clock is ahead of the others by so much. */
  readonly aheadMs: number;
  /** The last step that was begun: says where a schedule failed. */
  last = '';
  #trouble: Trouble | undefined;
  #waking = Promise.withResolvers<void>();
  #asleep = Promise.withResolvers<'asleep'>();

  constructor(aheadMs = 0) {
    this.aheadMs = aheadMs;
  }

  /** Does the work until it is done or asleep. @throws Died, and what the work throws */
  run<Out>(
    work: () => Promise<Out>,
    trouble?: Trouble,
  ): { readonly done: Promise<Out>; readonly asleep: Promise<'asleep'> } {
    this.#trouble = trouble;
    const done = lives.run(this, work);
    done.catch(() => undefined); // told to who waits for it, perhaps much later
    return { done, asleep: this.#asleep.promise };
  }

  wake(): void {
    this.state = 'awake';
    this.#asleep = Promise.withResolvers();
    this.#waking.resolve();
    this.#waking = Promise.withResolvers();
  }

  die(): void {
    this.state = 'dead';
    this.#waking.resolve();
  }

  async step(name: string): Promise<void> {
    if (this.state === 'awake' && this.#trouble !== undefined) {
      const { after, fate } = this.#trouble;
      const isDue = after <= 0 && (fate !== 'full' || needSpace.test(name));
      if (!isDue) this.#trouble = { after: after - 1, fate };
      else {
        this.#trouble = undefined;
        this.last = name;
        if (fate === 'full')
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        this.state = fate === 'dies' ? 'dead' : 'asleep';
        if (fate === 'sleeps') this.#asleep.resolve('asleep');
      }
    }
    if (this.state === 'asleep') await this.#waking.promise;
    if (this.state === 'dead') throw new Died(`dead at ${name}`);
  }
}

const lives = new AsyncLocalStorage<Life>();

/** Undefined for what is no step: a sync opens every file and every folder, and nobody sees what is between two of them. */
function stepOf(name: string, [what, how]: readonly unknown[]): string | undefined {
  const about = typeof what === 'string' ? what : '';
  if (name === 'open') return how === 'wx' ? `make ${about}` : undefined;
  if (name === 'readdir') return about.endsWith('/shards') ? name : undefined;
  return `${name} ${about}`;
}

type Method = (...args: never[]) => unknown;

function gate(holder: object, name: string): () => void {
  const methods = holder as Record<string, Method>;
  const real = methods[name] as Method;
  methods[name] = async function gated(this: unknown, ...args: never[]) {
    const step = stepOf(name, args);
    if (step !== undefined) await lives.getStore()?.step(step);
    return real.apply(this, args);
  };
  return () => void (methods[name] = real);
}

/** On a full disk the others still work. */
const needSpace =
  /^(mkdir|link|make|writeFile|copyFile|add|delete|optimize|create|restore|setUnenforced|execute|dropIndex)/;

const ofFiles = [
  'rename',
  'rm',
  'mkdir',
  'link',
  'unlink',
  'open',
  'readdir',
  'readFile',
  'writeFile',
  'copyFile',
];
const ofTables = [
  'add',
  'delete',
  'optimize',
  'createIndex',
  'dropIndex',
  'checkout',
  'restore',
  'countRows',
  'setUnenforcedPrimaryKey',
];

/** Puts the gates in. @param scratch a folder for a table, whose classes are known by an example only */
export async function openGates(scratch: string): Promise<Disposable> {
  const connection = await connect(scratch);
  const table = await connection.createEmptyTable('example', new Schema([new Field('a', new Utf8(), false)]));
  const close = [
    ...ofFiles.map((name) => gate(fs, name)),
    ...ofTables.map((name) => gate(Object.getPrototypeOf(table) as object, name)),
    ...['openTable', 'createEmptyTable'].map((name) =>
      gate(Object.getPrototypeOf(connection) as object, name),
    ),
    gate(MergeInsertBuilder.prototype, 'execute'),
  ];
  syncBuiltinESMExports();
  const now = Date.now;
  Date.now = () => now() + (lives.getStore()?.aheadMs ?? 0);
  return {
    [Symbol.dispose]: () => {
      for (const restore of close) restore();
      syncBuiltinESMExports();
      Date.now = now;
    },
  };
}
