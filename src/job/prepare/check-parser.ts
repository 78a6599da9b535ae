/** Whether the outside parser that is wanted is there and works, asked before anything starts. */
import { join } from 'node:path';

import type { Environment } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { findParserProgram, type ParserProgram } from '../../services/parser-program.ts';
import { runCommand } from '../../supervise/command.ts';
import { withoutNamespaces } from '../../supervise/containment.ts';
import { definedOnly } from '../services/services.ts';
import { openScratch } from '../../disk/scratch.ts';

/** Python that imports half of PyTorch from a busy file server. */
const timeoutMs = 180_000;

/** @throws preflight with the line that mends it; aborted */
export async function checkParser(
  { RAG_PARSER: setting }: Pick<Settings, 'RAG_PARSER'>,
  environment: Environment,
  signal: AbortSignal,
): Promise<ParserProgram | undefined> {
  if (setting === undefined) return undefined;
  const path = environment['PATH'] ?? '';
  await using scratch = await openScratch('parser', environment['TMPDIR']);
  const env = { ...definedOnly(environment), CUDA_VISIBLE_DEVICES: '-1' };
  const kept = { isolation: 'none', logFile: join(scratch.folder, 'parser.log'), graceMs: 500 } as const;
  const around = { containment: withoutNamespaces(path), report: () => undefined };
  return await findParserProgram(setting, path, (command) =>
    runCommand(
      { id: 'parser', launch: { command, env, cwd: scratch.folder }, ...kept, timeoutMs },
      around,
      signal,
    ),
  );
}
