/** Who does a verb's work: the running supervisor, or this process. */
import { realpath } from 'node:fs/promises';
import type { Connection } from '../client/connection.ts';
import { readStatus } from '../client/documents.ts';
import { findSupervisor } from '../client/find-supervisor.ts';
import { load, type Loaded } from '../config/load.ts';
import { codeOf, messageOf } from '../errors.ts';
import { readJob } from '../slurm/job.ts';
import type { VerbInput } from './verb.ts';

/**
 * The supervisor that is published, lives and proves to be it; `here` when there is none, which is said, or when it was
 * asked for. Disposing it closes the way to it.
 *
 * @throws what keeps a way to one that lives from being opened
 */
export async function whoWorks(input: VerbInput): Promise<Connection | 'here'> {
  const { line, environment, signal, tell } = input;
  if (line.switches.has('here')) return 'here';
  const { settings } = loadOf(input);
  const wanted = {
    folder: settings.RAG_RUNTIME_STATE,
    node: readJob(environment).node,
    env: environment,
    tell,
  };
  try {
    return await findSupervisor(wanted, signal);
  } catch (error) {
    if (codeOf(error) !== 'preflight') throw error;
    tell(
      `working in this process: ${messageOf(error)
        .replace(/^Cannot use a published service: /, '')
        .replace(/, a live one is wanted$/, '')}`,
    );
    return 'here';
  }
}

/** As above, for a verb that writes: a supervisor of another index than the one that was named is not meant. */
export async function whoWrites(input: VerbInput): Promise<Connection | 'here'> {
  const who = await whoWorks(input);
  if (who === 'here') return who;
  const { settings, sources } = loadOf(input);
  const { index } = await readStatus(who, input.signal).catch(async (error: unknown) => {
    await who[Symbol.asyncDispose]();
    throw error;
  });
  const isNamed = sources.RAG_WORKING_DIR !== 'default';
  if (!isNamed || index === undefined || (await isSame(settings.RAG_WORKING_DIR, index))) return who;
  await who[Symbol.asyncDispose]();
  input.tell(`working in this process: ${who.name} has another index, ${index}`);
  return 'here';
}

const isSame = async (here: string, there: string): Promise<boolean> =>
  here === there || (await realpath(here).catch(() => here)) === (await realpath(there).catch(() => there));

const loadOf = ({ line, environment }: VerbInput): Loaded =>
  load({ flags: line.settings, environment, file: line.values['config'] });
