/** `--here`: a verb's work in this process, with the services it needs and nothing else. */
import type { CommandLine, FlagSpec } from '../config/flags.ts';
import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { withJob, type OpenJob } from '../job/open.ts';
import { prepare } from '../job/prepare/prepare.ts';
import { openScratch } from '../disk/scratch.ts';
import type { VerbInput } from './verb.ts';

export const hereFlag: FlagSpec = {
  kind: 'switch',
  meaning: 'Do it in this process, whether or not a supervisor runs.',
};

/** @param line the verb's command line, as `run` would have been given it */
export async function withServicesHere<T>(
  input: VerbInput,
  line: CommandLine,
  use: (open: OpenJob, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Logs and state of a single question are of no use to anybody afterwards.
  await using nothingKept = await openScratch('here', input.environment['TMPDIR']);
  const { folder } = nothingKept;
  const { RAG_RUNTIME_STATE: publishedIn } = load({
    flags: line.settings,
    environment: input.environment,
    file: line.values['config'],
  }).settings;
  const settings = { ...line.settings, LOG_ROOT: folder, RAG_RUNTIME_STATE: folder };
  await using prepared = await prepare({ ...input, publishedIn, line: { ...line, settings } });
  for (const warning of prepared.warnings) input.tell(`warning: ${warning}`);
  return await withJob(prepared, input, (open) => use(open, AbortSignal.any([input.signal, open.lost])));
}

/** The text that the words of a command line make. @throws usage when there is none */
export function textOf(line: CommandLine, verb: string): string {
  const text = line.positionals.join(' ').trim();
  if (text !== '') return text;
  throw new RagError('usage', `Cannot ${verb}: no text is given`, {
    hint: `node dist/supervisor.js ${verb} "..."`,
  });
}
