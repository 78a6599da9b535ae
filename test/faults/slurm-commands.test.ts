/** Slurm's commands fail, hang or talk nonsense: that says nothing of the job. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fault } from './fault.ts';
import { ask, serve } from './program.ts';
import { systemPath } from './world.ts';

for (const [what, script] of [
  ['fail', 'echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1'],
  ['hang', 'exec sleep 600'],
  ['talk nonsense', 'echo "slurmctld is not what it was"'],
] as const)
  fault({ list: 13, fault: `Slurm's commands ${what}`, of: 'program' }, async (world) => {
    const bin = join(world.folder, 'bin');
    mkdirSync(bin, { mode: 0o755 });
    for (const name of ['squeue', 'scontrol', 'sacct'])
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const since = performance.now();
    const serving = await serve(world, {
      env: { PATH: [bin, dirname(process.execPath), systemPath].join(delimiter) },
    });
    const ms = performance.now() - since;
    assert.equal((await ask(world, `${serving.url()}/api/version`)).status, 200);
    serving.signal('SIGTERM');
    assert.equal((await serving.ended).code, 0);
    assert.deepEqual(world.marked(), []);
    return { outcome: 'goes on', ms };
  });
