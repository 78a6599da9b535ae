/** Programs that the system may lack: what they were for is done another way, or said to be missing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { fault, type Found, NotHere } from './fault.ts';
import { serve, startProgram, untilReady } from './program.ts';
import { plays, supervise, type Supervised, type SuperviseOptions } from './supervised.ts';
import { isRunning, kill, until, untilNone, type World } from './world.ts';

const places = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];

/** Hidden for the program and all that it starts: something that cannot be run is mounted over them. */
function without(world: World, programs: readonly string[]): SuperviseOptions {
  if (process.getuid?.() !== 0) throw new NotHere('only root can hide a program');
  const files = programs
    .flatMap((name) => places.map((folder) => `${folder}/${name}`))
    .filter((file) => existsSync(file));
  const hide = [...new Set(files.map((file) => realpathSync(file)))].map(
    (file) => `mount --bind /dev/null ${file} && `,
  );
  const apart = ['unshare', '--mount', 'sh', '-c', `${hide.join('')}exec "$@"`, 'sh'];
  if (spawnSync('unshare', [...apart.slice(1), 'true']).status !== 0)
    throw new NotHere('nothing can be mounted');
  const { uid, gid } = world.as;
  const user =
    uid === undefined ? [] : ['chroot', '--skip-chdir', `--userspec=${uid}:${gid}`, '--groups=', '/'];
  return { prefix: [...apart, ...user], as: {} };
}

const service = { id: 'service', command: plays('leaves-all-kinds.sh'), readyAtOnce: true };

async function start(world: World, programs: readonly string[], degraded?: RegExp): Promise<Supervised> {
  const supervised = await supervise(world, [service], { ...without(world, programs), degraded });
  await until('the service', () => world.marked(1).length >= 7 || undefined);
  return supervised;
}

async function killed(
  world: World,
  supervised: Pick<Supervised, 'pid' | 'guard' | 'ended'>,
): Promise<number> {
  const guard = supervised.guard();
  world.adopt(guard);
  const since = performance.now();
  kill(supervised.pid);
  await supervised.ended;
  await untilNone(() => [...world.marked(), ...[guard].filter(isRunning)]);
  return performance.now() - since;
}

for (const programs of [['ps'], ['setpriv'], ['setpriv', 'perl']])
  fault(
    { list: 9, fault: `kill -9 without ${programs.join(' and ')}`, of: 'tree', atMostMs: 1000 },
    async (world) => {
      const supervised = await start(world, programs);
      return { outcome: 'clean', ms: await killed(world, supervised) };
    },
  );

const degraded = async (world: World, programs: readonly string[], why: RegExp): Promise<Found> => {
  const supervised = await start(world, programs, why);
  return { outcome: 'degraded', ms: await killed(world, supervised), detail: 'guard, said so' };
};

fault({ list: 9, fault: 'kill -9 without unshare', of: 'tree', modes: ['pidns'], atMostMs: 1000 }, (world) =>
  degraded(world, ['unshare'], /^there is no unshare/),
);

fault(
  {
    list: 9,
    fault: 'kill -9 without setpriv, perl and python3',
    of: 'tree',
    modes: ['pidns'],
    atMostMs: 1000,
  },
  (world) => degraded(world, ['setpriv', 'perl', 'python3'], /^neither setpriv nor perl nor python3/),
);

fault({ list: 9, fault: 'kill -9 without grep', of: 'tree' }, async (world) => {
  const supervised = await start(world, ['grep']);
  await supervised.untilTold('guard given up');
  const since = performance.now();
  kill(supervised.pid);
  await supervised.ended;
  if (world.mode === 'pidns') await untilNone(() => world.marked());
  else await until('the end of the service itself', () => world.marked().length < 7 || undefined);
  const left = world.marked().length;
  assert.equal(left, world.mode === 'pidns' ? 0 : 6, 'the gap is closed: say so in the documents');
  const ms = performance.now() - since;
  if (left === 0) return { outcome: 'clean', ms, detail: 'no guard, said so' };
  return { outcome: 'gap', ms, detail: 'no guard, said so: what the death signal does not reach is left' };
});

fault(
  { list: 9, fault: 'no unshare, and the best is wanted', of: 'program', modes: ['guard'] },
  async (world) => {
    const since = performance.now();
    const serving = await serve(world, { ...without(world, ['unshare']), env: { RAG_CONTAINMENT: 'auto' } });
    const ms = performance.now() - since;
    await untilReady(serving, [0, 0, 0, 0]);
    const { containment, containment_reason } = serving.status() ?? assert.fail();
    assert.deepEqual([containment, containment_reason], ['guard', 'there is no unshare']);
    await killed(world, serving);
    return { outcome: 'degraded', ms, detail: 'guard, status says so' };
  },
);

fault(
  { list: 9, fault: 'no unshare, and namespaces are wanted', of: 'program', modes: ['pidns'] },
  async (world) => {
    const since = performance.now();
    const program = startProgram(world, ['run', '--mode', 'serve'], without(world, ['unshare']));
    const { code, stderr } = await program.ended;
    assert.equal(code, 78, stderr);
    assert.equal(program.status()?.outcome?.exit, 78);
    assert.match(stderr, /there is no unshare, RAG_CONTAINMENT=pidns wants them/);
    return { outcome: 'refused', ms: performance.now() - since, detail: 'exit code 78' };
  },
);

fault(
  { list: 9, fault: 'no grep, which the guard needs', of: 'program', modes: ['guard'] },
  async (world) => {
    const since = performance.now();
    const serving = await serve(world, without(world, ['grep']));
    const ms = performance.now() - since;
    await untilReady(serving, [0, 0, 0, 0]);
    const { containment, containment_reason } = serving.status() ?? assert.fail();
    assert.deepEqual([containment, containment_reason], ['death-signal', 'no guard stands']);
    serving.signal('SIGTERM');
    const { code, stderr } = await serving.ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /warn: no guard can be kept \(exit code 3\)/);
    return { outcome: 'degraded', ms, detail: 'death signals, status says so' };
  },
);
