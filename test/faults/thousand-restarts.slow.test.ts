/** A thousand restarts: no zombie, no descriptor more, no memory more. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fault } from './fault.ts';
import { plays, supervise } from './supervised.ts';
import { childrenOf } from './world.ts';

const restarts = 1000;
const atOnce = { intensity: restarts, periodMs: 3_600_000, backoff: { baseMs: 1, capMs: 1 } };

fault({ list: 17, fault: '1,000 restarts', of: 'tree' }, async (world) => {
  const exits = { id: 'exits', command: plays('exits.sh', '1'), significant: true };
  const supervised = await supervise(world, [exits], { budget: atOnce });
  const since = performance.now();
  const seen: Seen[] = [];
  for (let at = 0; at < restarts; at += 1) {
    await supervised.untilTold('restarting');
    // Buffers and compiled code come with the first ones.
    if (at >= 200) seen.push(look(supervised.pid));
  }
  await supervised.untilTold('tree', { how: 'failed' });
  const ms = performance.now() - since;
  const last = look(supervised.pid);
  supervised.signal('SIGTERM');
  await supervised.ended;
  const [early, late] = [seen.slice(0, 100), seen.slice(-100)];
  assert.equal(last.children, 1, 'the guard, and no zombie');
  assert.equal(least(late, 'descriptors'), least(early, 'descriptors'));
  const grown = Math.round(least(late, 'megabytes') - least(early, 'megabytes'));
  assert.ok(grown < 10, `${grown} MB more`);
  const figures = `${least(late, 'descriptors')} descriptors, ${grown} MB more than after the first 300`;
  return { outcome: 'goes on', ms, detail: `no zombie, ${figures}` };
});

interface Seen {
  readonly children: number;
  readonly descriptors: number;
  readonly megabytes: number;
}

const look = (pid: number): Seen => ({
  children: childrenOf(pid).length,
  descriptors: readdirSync(`/proc/${pid}/fd`).length,
  megabytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
});

/** The least of many looks: a start and a collection of garbage are under way in some. */
const least = (seen: readonly Seen[], what: keyof Seen): number => Math.min(...seen.map((one) => one[what]));
