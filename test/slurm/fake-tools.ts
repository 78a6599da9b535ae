import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '../../src/slurm/job.ts';
import type { CommandOptions } from '../../src/slurm/command.ts';

export interface FakeTools extends AsyncDisposable {
  readonly folder: string;
  readonly options: CommandOptions;
}

/** A folder of Slurm tools, each a shell script, which is the whole PATH but for the shell's own. */
export async function makeFakeTools(
  scripts: Readonly<Record<string, string>>,
  options: Partial<CommandOptions> = {},
): Promise<FakeTools> {
  const folder = await mkdtemp(join(tmpdir(), 'rag-slurm-tools-'));
  for (const [name, body] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/bash\n${body}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return {
    folder,
    options: {
      env: { PATH: folder, ...options.env },
      timeoutMs: options.timeoutMs ?? 10_000,
      signal: options.signal ?? new AbortController().signal,
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

export const slurmJob: Job = {
  kind: 'slurm',
  id: '12',
  arrayJob: null,
  task: null,
  restart: 0,
  node: 'node1',
  nodes: 1,
  cpus: 4,
  gpus: null,
};
