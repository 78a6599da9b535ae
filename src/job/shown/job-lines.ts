/** What a person reads in the log of a run, from its first line to its last: what begins, until when, how it ended. */
import { errorTable, type ErrorCode } from '../../errors.ts';
import type { Log } from '../../observe/log.ts';
import { clock, day } from '../../observe/log-line.ts';
import { durationText } from '../../observe/pace.ts';
import { jobKey } from '../../slurm/job.ts';
import type { Intent } from '../prepare/intent.ts';
import { whenText } from '../life/layouts.ts';
import { stopText } from '../life/stop-reason.ts';
import type { Prepared } from '../prepare/prepare.ts';
import type { Watch } from './watch.ts';

type Described = Pick<Prepared, 'plan' | 'parser' | 'settings' | 'job' | 'intent'>;

/** What a reader must know before anything goes wrong. @param logs folder */
export function beginLines({ plan, parser, settings, job, intent }: Described, logs: string): string[] {
  const gpus = plan.gpus.length === 0 ? '' : `, ${plan.gpus.length} GPU${plan.gpus.length === 1 ? '' : 's'}`;
  const restart = job.restart === 0 ? '' : `, restart ${job.restart},`;
  return [
    `job ${jobKey(job)}${restart} on ${job.node}, ${day(new Date())}${gpus}: ${intentText(intent)}`,
    `index ${settings.RAG_WORKING_DIR}, logs ${logs}`,
    ...plan.instances.map((each) => `${each.id}: ${each.model} on ${shown(each.gpus)}${whenText(each)}`),
    ...(parser === undefined
      ? []
      : [`PDFs and pictures are read by ${parser.name} on ${shown(plan.slices.parser)}`]),
  ];
}

const shown = (gpus: readonly string[]): string => (gpus.length === 0 ? 'no GPU' : `GPU ${gpus.join(',')}`);

function intentText(intent: Intent): string {
  if (intent.kind === 'dry-run') return 'a dry run over the sample corpus';
  const ingests = intent.inputs.length > 0;
  if (intent.kind === 'given' && intent.query === null) return 'ingests';
  if (intent.kind === 'given') return ingests ? 'ingests, then answers' : 'answers';
  if (intent.kind === 'serve') return `${ingests ? 'ingests, and ' : ''}serves until it is ended`;
  return `${ingests ? 'ingests, then ' : ''}serves ${intent.command[0]}, and ends with it`;
}

/** The watch with its phases in the log as well: as the column of each line, the end of the backlog as a line of its own. */
export const toldPhases = (watch: Watch, log: Log, intent: Intent): Watch => ({
  ...watch,
  phase(event) {
    const before = watch.status().phase;
    watch.phase(event);
    const { phase } = watch.status();
    log.phase(phase);
    const serves = intent.kind === 'serve' || intent.kind === 'workload';
    if (phase === 'answering' && before !== phase && serves)
      log('info', 'everything is ingested: questions are answered');
  },
});

export interface LimitTold {
  at(endsAt: Date): void;
  goInto(log: Log): void;
}

/** Until when: told once, when that is known and there is a log to tell it in. */
export function makeLimitTold(): LimitTold {
  let known: Date | undefined;
  let log: Log | undefined;
  let isTold = false;
  const tell = (): void => {
    if (log === undefined || known === undefined || isTold) return;
    isTold = true;
    log('info', endsAtText(known, new Date()));
  };
  return {
    at(endsAt) {
      known = endsAt;
      tell();
    },
    goInto(given) {
      log = given;
      tell();
    },
  };
}

export const endsAtText = (at: Date, now: Date): string =>
  `the job ends at ${day(at)} ${clock(at)}, in ${durationText(Math.max(0, (at.getTime() - now.getTime()) / 1000))}`;

/** The last line of a run that an error ended; the error itself comes behind it, when everything is closed. */
export const failedText = (exit: number, code: ErrorCode, logs: string | undefined): string => {
  const why =
    logs === undefined ? 'what led to it stands above, a trial keeps no log' : `what led to it is in ${logs}`;
  return `ended with ${exit} (${code}): ${exit === errorTable.stopped.exit ? 'the same command goes on' : why}`;
};

/** The folder of a run's logs, where it is there after the end. */
export const keptLogs = (
  { isKept }: Pick<Prepared, 'isKept'>,
  { logs }: { readonly logs: string },
): string | undefined => (isKept ? logs : undefined);

/** Of one that was told to stop before it had begun anything. */
export const stoppedEarlyText = (exit: number, reason: unknown): string =>
  `ended with ${exit}: stopped before it began (${stopText(reason, null)}), the same command goes on`;

/** What a reader does next; nothing where the reason says it. @param logs folder */
export const nextText = (exit: number, logs: string | undefined): string =>
  exit !== errorTable['too-many-failed'].exit
    ? ''
    : logs === undefined
      ? '; they are named above'
      : `; ${logs}/supervisor.jsonl names them, the same command tries them again`;
