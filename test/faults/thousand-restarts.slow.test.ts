/** A thousand restarts: no zombie, no descriptor more, no memory more. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { fault } from './fault.ts';
import { plays, supervise } from './supervised.ts';
import { childrenOf } from './world.ts';

const restarts = 1000;
const atOnce = { intensity: restarts, periodMs: 3_600_000, backoff: { baseMs: 1, capMs: 1 } };

fault({ list: 17, fault: '1,000 restarts', of: 'tree' }, async (world) => {
  const exits = { id: 'exits', command: plays('exits.sh', '1'), significant: true };
  const supervised = await supervise(world, [exits], { budget: atOnce });
  const since = performance.now();
  const seen: number[] = [];
  for (let at = 0; at < restarts; at += 1) {
    await supervised.untilTold('restarting');
    seen.push(readdirSync(`/proc/${supervised.pid}/fd`).length);
    // What is compiled and cached comes with the first ones.
    if (at === 200) supervised.signal('SIGURG');
  }
  await supervised.untilTold('tree', { how: 'failed' });
  const ms = performance.now() - since;
  supervised.signal('SIGURG');
  const [before, after] = [await supervised.untilTold('memory'), await supervised.untilTold('memory')];
  const children = childrenOf(supervised.pid).length;
  supervised.signal('SIGTERM');
  await supervised.ended;
  assert.equal(children, 1, 'the guard, and no zombie');
  // The least of many looks: in some a start is under way.
  assert.equal(Math.min(...seen.slice(-100)), Math.min(...seen.slice(100, 200)), 'descriptors');
  const grownMb = (Number(after['bytes']) - Number(before['bytes'])) / 1e6;
  assert.ok(grownMb < 2, `${grownMb} MB more`);
  return {
    outcome: 'goes on',
    ms,
    detail: 'no zombie, no descriptor more, less than 2 MB of live memory more',
  };
});
