/** nvidia-smi before a card that fell off its bus: it answers nobody, and KILL does not end it. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fault } from './fault.ts';
import { type ProgramOptions, serve, startProgram } from './program.ts';
import { commandOf, isRunning, systemPath, until, untilNone, type World } from './world.ts';

/** Two GPUs, and a nvidia-smi that does this. `hangs` takes a session of its own: out of reach, as in the driver. */
function withNvidiaSmi(world: World, does: string): ProgramOptions {
  const bin = join(world.folder, 'bin');
  mkdirSync(bin, { mode: 0o755 });
  writeFileSync(join(bin, 'nvidia-smi'), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
  const path = [bin, dirname(process.execPath), systemPath].join(delimiter);
  return { env: { PATH: path, CUDA_VISIBLE_DEVICES: '0,1' } };
}
const hangs = 'setsid sleep 600';

const hanging = (world: World): number[] =>
  world.marked().filter((pid) => commandOf(pid) === 'sleep 600' && isRunning(pid));

fault(
  {
    list: 14,
    fault: 'stop while nvidia-smi is asked and hangs',
    of: 'program',
    modes: ['pidns'],
    atMostMs: 2000,
  },
  async (world) => {
    const program = startProgram(world, ['run', '--mode', 'serve'], withNvidiaSmi(world, hangs));
    const [hung] = await until('the question', () =>
      hanging(world).length > 0 ? hanging(world) : undefined,
    );
    world.adopt(hung ?? 0);
    const since = performance.now();
    program.signal('SIGTERM');
    const { code, stderr } = await program.ended;
    const ms = performance.now() - since;
    assert.equal(code, 75, stderr);
    assert.deepEqual(program.status()?.outcome?.exit, 75);
    for (const pid of hanging(world)) process.kill(pid, 'SIGKILL');
    await untilNone(() => world.marked());
    return { outcome: 'clean', ms, detail: 'exit code 75' };
  },
);

fault(
  { list: 14, fault: 'nvidia-smi hangs from the first service on', of: 'program', modes: ['pidns'] },
  async (world) => {
    const does = `case "$1" in -L) echo GPU 0;; *) ${hangs};; esac`;
    const serving = await serve(world, withNvidiaSmi(world, does));
    await until('the question', () => hanging(world)[0]);
    const since = performance.now();
    serving.signal('SIGTERM');
    const { code, stderr } = await serving.ended;
    const ms = performance.now() - since;
    assert.equal(code, 0, stderr);
    assert.ok(ms < 5_000, `the stop took ${ms} ms`);
    for (const pid of hanging(world)) process.kill(pid, 'SIGKILL');
    await untilNone(() => world.marked());
    return { outcome: 'goes on', ms, detail: 'and the stop asks no more' };
  },
);
