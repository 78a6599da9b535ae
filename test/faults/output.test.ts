/** What a service writes, and what becomes of it, never stops the service, nor fills the supervisor. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fault, NotHere } from './fault.ts';
import { plays, supervise } from './supervised.ts';
import { isRunning, until, type World } from './world.ts';

const floodBytes = 200_000_000;

fault({ list: 6, fault: 'a flood of 200 MB of output', of: 'tree' }, async (world) => {
  const command = plays('floods-without-mercy.sh', String(floodBytes));
  const since = performance.now();
  const supervised = await supervise(world, [{ id: 'service', command }]);
  await supervised.untilTold('ready');
  const ms = performance.now() - since;
  const megabytes = peakMegabytes(supervised.pid);
  supervised.signal('SIGTERM');
  await supervised.ended;
  assert.ok(megabytes < 150, `${megabytes} MB`);
  return { outcome: 'goes on', ms, detail: 'memory stays below 150 MB' };
});

const peakMegabytes = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

fault(
  { list: 6, fault: 'the supervisor is blocked for 3 s', of: 'tree', users: ['ordinary'] },
  async (world) => {
    const supervised = await supervise(world, [{ id: 'service', command: plays('ticks.sh') }]);
    await supervised.untilTold('ready');
    supervised.signal('SIGUSR2');
    await supervised.untilTold('blocked');
    const log = join(world.folder, 'service.log');
    const until = performance.now() + 2500;
    let [stallMs, bytes, movedAt] = [0, 0, performance.now()];
    while (performance.now() < until) {
      const { size } = statSync(log);
      if (size !== bytes) movedAt = performance.now();
      bytes = size;
      stallMs = Math.max(stallMs, performance.now() - movedAt);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    supervised.signal('SIGTERM');
    await supervised.ended;
    assert.ok(stallMs < 1000, `${stallMs} ms`);
    return { outcome: 'goes on', ms: stallMs, detail: 'the longest silence of its log' };
  },
);

fault({ list: 6, fault: 'the log is deleted', of: 'tree' }, async (world) => {
  const since = performance.now();
  const log = join(world.folder, 'service.log');
  const supervised = await supervise(world, [{ id: 'service', command: plays('ticks.sh') }]);
  await supervised.untilTold('ready');
  rmSync(log);
  await livesOn(world);
  process.kill(world.marked(1)[0] ?? assert.fail(), 'SIGKILL');
  await supervised.untilTold('restarting');
  await until('a new log', () => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0 || undefined);
  supervised.signal('SIGTERM');
  await supervised.ended;
  return { outcome: 'goes on', ms: performance.now() - since };
});

/** Its loop starts a `sleep` for every tick: new processes are its sign of life when nobody can read it. */
async function livesOn(world: World, start = 1): Promise<void> {
  const before = new Set(world.marked(start));
  await until('another tick', () => world.marked(start).find((pid) => !before.has(pid) && isRunning(pid)));
}

fault({ list: 6, fault: 'the disk of the log is full', of: 'tree' }, async (world) => {
  const folder = join(world.folder, 'full');
  mkdirSync(folder);
  const options = `size=64k,mode=0700,uid=${world.as.uid ?? 0}`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  if (mounted.status !== 0)
    throw new NotHere(`no small disk can be mounted: ${mounted.stderr.toString().trim()}`);
  try {
    const since = performance.now();
    const logFile = join(folder, 'service.log');
    const command = plays('floods-without-mercy.sh', '200000');
    const flood = { id: 'flood', command, logFile: join(folder, 'flood.log'), readyAtOnce: true };
    const service = {
      id: 'service',
      command: plays('ticks.sh'),
      logFile,
      readyAtOnce: true,
      after: ['flood'],
    };
    const supervised = await supervise(world, [flood, service]);
    await supervised.untilTold('ready', { id: 'service' });
    await until('a full disk', () => statSync(join(folder, 'flood.log')).size > 60_000 || undefined);
    await livesOn(world, 2);
    supervised.signal('SIGTERM');
    assert.equal((await supervised.ended).code, 0);
    assert.equal(supervised.events.filter(({ event }) => event === 'restarting').length, 0);
    return { outcome: 'goes on', ms: performance.now() - since };
  } finally {
    spawnSync('umount', ['-l', folder]);
  }
});
