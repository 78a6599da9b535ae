/** `--here`: a verb's work in this process, with the services it needs and nothing else. */
import type { CommandLine, FlagSpec } from '../config/flags.ts';
import { RagError } from '../errors.ts';
import { withJob, type OpenJob } from '../job/open.ts';
import { prepare } from '../job/prepare.ts';
import { openScratch } from '../job/scratch.ts';
import type { VerbInput } from './verb.ts';

export const hereFlag: FlagSpec = {
  kind: 'switch',
  meaning: 'Do it in this process, without a running supervisor.',
};

/**
 * @param line the verb's command line, as `run` would have been given it
 * @throws usage without --here: a client of a running supervisor is not there yet
 */
export async function workHere(
  input: VerbInput,
  line: CommandLine,
  use: (open: OpenJob, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  if (!input.line.switches.has('here')) {
    throw new RagError(
      'usage',
      'Cannot reach a running supervisor: client mode is not yet supported, --here is wanted',
      {
        hint: 'add --here to work in this process',
      },
    );
  }
  return withServicesHere(input, line, use);
}

/** Of verbs that a running supervisor never does: there is no --here to say. */
export async function withServicesHere<T>(
  input: VerbInput,
  line: CommandLine,
  use: (open: OpenJob, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Logs and state of a single question are of no use to anybody afterwards.
  await using nothingKept = await openScratch('here', input.environment['TMPDIR']);
  const { folder } = nothingKept;
  const settings = { ...line.settings, LOG_ROOT: folder, RAG_RUNTIME_STATE: folder };
  await using prepared = await prepare({ ...input, line: { ...line, settings } });
  for (const warning of prepared.warnings) input.tell(`warning: ${warning}`);
  return await withJob(prepared, input, (open) => use(open, AbortSignal.any([input.signal, open.lost])));
}

/** The text that the words of a command line make. @throws usage when there is none */
export function textOf(line: CommandLine, verb: string): string {
  const text = line.positionals.join(' ').trim();
  if (text !== '') return text;
  throw new RagError('usage', `Cannot ${verb}: no text is given`, {
    hint: `node dist/supervisor.js ${verb} --here "..."`,
  });
}
