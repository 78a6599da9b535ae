/** Whether the Python children can start: Python, its libraries, the model folders, a GPU. Asked before anything starts. */
import { join } from 'node:path';
import { z } from 'zod';

import type { Environment } from '../../config/load.ts';
import { RagError } from '../../errors.ts';
import { saidBy } from '../../services/parser-program.ts';
import {
  sidecarCommand,
  sidecarEnv,
  type SidecarProgram,
  type SidecarSurroundings,
} from '../../services/sidecar-command.ts';
import { runCommand, type CommandEnd } from '../../supervise/command.ts';
import { withoutNamespaces } from '../../supervise/containment.ts';
import { openScratch } from '../../disk/scratch.ts';
import { definedOnly } from '../services/services.ts';

/** Importing PyTorch from a busy file server. */
const timeoutMs = 180_000;

const reportLine = z.object({
  ok: z.boolean(),
  problems: z.array(z.object({ message: z.string(), hint: z.string().nullish() })).default([]),
});

type CheckReport = z.output<typeof reportLine>;

/** @throws preflight with what is missing and the line that mends it; aborted */
export async function checkSidecar(
  program: SidecarProgram & Omit<SidecarSurroundings, 'baseEnv'>,
  environment: Environment,
  signal: AbortSignal,
): Promise<void> {
  await using scratch = await openScratch('sidecar', environment['TMPDIR']);
  const env = sidecarEnv({ ...program, baseEnv: definedOnly(environment) });
  const command = sidecarCommand(program, ['--check']);
  const end = await runCommand(
    {
      id: 'sidecar-check',
      launch: { command, env, cwd: scratch.folder },
      isolation: 'none',
      logFile: join(scratch.folder, 'check.log'),
      graceMs: 500,
      timeoutMs,
    },
    { containment: withoutNamespaces(environment['PATH'] ?? ''), report: () => undefined },
    signal,
  );
  if (end.outcome === 'aborted') throw new RagError('aborted', 'Cannot check the Python child: stopped');
  const report = reportIn(end.tail);
  if (report === undefined) throw noReport(program.python, end);
  const [first, ...others] = report.problems;
  if (!report.ok)
    throw new RagError(
      'preflight',
      [
        first?.message ?? 'Cannot start the Python child: its check says no',
        ...others.map(({ message }) => message),
      ].join('; '),
      { hint: first?.hint ?? undefined },
    );
}

/** Warnings of libraries stand around it. */
function reportIn(tail: readonly string[]): CheckReport | undefined {
  for (const line of tail.toReversed()) {
    try {
      const { data } = reportLine.safeParse(JSON.parse(line));
      if (data !== undefined) return data;
    } catch {
      // Another line.
    }
  }
  return undefined;
}

const noReport = (python: string, end: CommandEnd): RagError =>
  new RagError(
    'preflight',
    `Cannot start the Python child: ${python} ${saidBy(end)}, a Python 3 with torch and transformers is wanted`,
    { hint: 'export RERANKER_PYTHON=/path/to/venv/bin/python   # where: pip install torch transformers' },
  );
