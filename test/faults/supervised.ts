/** The tiny supervisor in a process of its own, whose kill -9 we can afford. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { NotHere } from './fault.ts';
import type { ChildOrder, Order } from './order.ts';
import { checkout, guardOf, systemPath, until, type World } from './world.ts';

const fixtures = join(checkout, 'test/fixtures/children');

/** Halves the start of a supervisor, of which there are hundreds. For both users. */
const compiled = mkdtempSync(join(tmpdir(), 'fault-compiled-'));
chmodSync(compiled, 0o777);
after(() => rmSync(compiled, { recursive: true }));

/** One line that it printed. */
export interface Told {
  readonly event: string;
  readonly [detail: string]: unknown;
}

export interface Supervised {
  readonly pid: number;
  readonly events: readonly Told[];
  /** Once all its lines are read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** The next of these that was not yet waited for. */
  untilTold(event: string, detail?: Readonly<Record<string, unknown>>): Promise<Told>;
  guard(): number;
  signal(name: NodeJS.Signals): void;
}

/** A child that plays this fixture. */
export const plays = (fixture: string, ...words: string[]): [string, ...string[]] => [
  join(fixtures, fixture),
  ...words,
];

export interface SuperviseOptions {
  readonly budget?: Order['budget'];
  readonly path?: string;
  /** Before `node`. */
  readonly prefix?: readonly string[];
  /** Instead of the world's user, where the prefix changes it. */
  readonly as?: World['as'];
  /** Namespaces are wanted and cannot be had, for this reason. */
  readonly degraded?: RegExp | undefined;
}

const soonAgain = { intensity: 5, periodMs: 60_000, backoff: { baseMs: 20, capMs: 40 } };

/** Resolves when the supervisor has opened everything; its children may still be starting. */
export async function supervise(
  world: World,
  children: readonly ChildOrder[],
  options: SuperviseOptions = {},
): Promise<Supervised> {
  const { budget = soonAgain, path = systemPath, prefix = [] } = options;
  const order: Order = {
    mode: world.mode,
    folder: world.folder,
    path,
    family: `fault-${world.unique}`,
    env: world.env,
    budget,
    children,
  };
  const program = [process.execPath, join(fixtures, 'supervises-on-order.ts'), JSON.stringify(order)];
  const [file = '', ...rest]: readonly string[] = [...prefix, ...program];
  const child = spawn(file, rest, {
    ...(options.as ?? world.as),
    cwd: world.folder,
    env: { ...world.env, NODE_COMPILE_CACHE: compiled },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const supervised = await listen(child);
  const { mode, reason } = await supervised.untilTold('open');
  if (options.degraded !== undefined) assert.match(String(reason), options.degraded);
  if (options.degraded === undefined && mode !== world.mode)
    throw new NotHere(`no ${world.mode} here: ${String(reason)}`);
  return supervised;
}

async function listen(child: ReturnType<typeof spawn>): Promise<Supervised> {
  const events: Told[] = [];
  let said = '';
  let over = false;
  assert.ok(child.stdout !== null && child.stderr !== null);
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => events.push(JSON.parse(line) as Told));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (said += text));
  const read = once(lines, 'close');
  const ended = once(child, 'exit').then(async ([code, signal]) => {
    await read;
    over = true;
    return { code: code as number | null, signal: signal as string | null };
  });
  await once(child, 'spawn');
  const pid = child.pid ?? assert.fail();
  const waited = new Set<Told>();
  return {
    pid,
    events,
    ended,
    untilTold: async (event, detail = {}) => {
      const found = await until(telling(event, events), () => {
        const one = events.find((told) => !waited.has(told) && fits(told, { ...detail, event }));
        if (one === undefined && over) assert.fail(`it ended before "${event}": ${said}`);
        return one;
      });
      waited.add(found);
      return found;
    },
    guard: () => guardOf(pid) ?? assert.fail('no guard stands'),
    signal: (name) => void child.kill(name),
  };
}

const telling = (event: string, events: readonly Told[]) => (): string =>
  `"${event}" after ${JSON.stringify(events.slice(-5))}`;

const fits = (told: Told, detail: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(detail).every(([name, value]) => told[name] === value);
