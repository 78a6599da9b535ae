/** Who does a verb's work: the running supervisor, or this process. */
import { load } from '../config/load.ts';
import { codeOf, messageOf } from '../errors.ts';
import { findService, type FoundService } from '../services/find-service.ts';
import { readJob } from '../slurm/job.ts';
import type { VerbInput } from './verb.ts';

/**
 * The supervisor that is published, lives and proves to be it; `here` when there is none, which is said, or when it was
 * asked for.
 */
export async function whoWorks({
  line,
  environment,
  signal,
  tell,
}: VerbInput): Promise<FoundService | 'here'> {
  if (line.switches.has('here')) return 'here';
  const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
  try {
    return await findService({ folder: settings.RAG_RUNTIME_STATE, node: readJob(environment).node }, signal);
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
