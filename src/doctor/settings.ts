/** From a command line to what is examined, with every problem of the settings as a finding. */
import type { CommandLine } from '../config/flags.ts';
import { type Environment, load, type Loaded } from '../config/load.ts';
import { messageOf, toPlain } from '../errors.ts';
import { makeIntent } from '../job/prepare/intent.ts';
import { planFor } from '../job/prepare/plan-for.ts';
import type { Plan } from '../plan/types.ts';
import { readJob } from '../slurm/job.ts';
import { failure, type Finding, ok, type Patient, warning } from './types.ts';

/** Without a patient nothing else can be looked at: the settings cannot be read. */
export interface Examined {
  readonly patient: Patient | undefined;
  readonly problems: readonly Finding[];
}

export function readCommandLineSettings(
  line: CommandLine,
  environment: Environment,
  signal: AbortSignal,
): Examined {
  let loaded: Loaded;
  try {
    loaded = load({ flags: line.settings, environment, file: line.values['config'] });
  } catch (error) {
    return { patient: undefined, problems: [asFailure('settings', error)] };
  }
  const { settings, warnings } = loaded;
  const problems = [ok('settings', 'they can be read'), ...warnings.map((each) => warning('settings', each))];
  const job = readJob(environment);
  let plan: Plan | null = null;
  try {
    const { intent } = makeIntent({
      settings: { ...settings, RAG_WORKER_MODE: 'serve' },
      query: undefined,
      insideJob: true,
    });
    plan = planFor(settings, environment, job, intent);
    problems.push(...plan.warnings.map((each) => warning('plan', each)));
  } catch (error) {
    problems.push(asFailure('plan', error));
  }
  return { patient: { settings, environment, job, plan, signal }, problems };
}

const asFailure = (about: string, error: unknown): Finding =>
  failure(about, messageOf(error), toPlain(error).hint);
