import { answerText, whatToTryNext } from '../observe/answer.ts';
import { load } from '../config/load.ts';
import { codeOf, errorTable } from '../errors.ts';
import { logLine } from '../observe/log-line.ts';
import { openFace, openKeys, publish } from '../job/shown/face.ts';
import { keptLogs, nextText, stoppedEarlyText } from '../job/shown/job-lines.ts';
import { openOrders } from '../job/documents/ingest-orders.ts';
import { withJob, type OpenJob } from '../job/open.ts';
import { makeExitCode, makeSummary, outcomeText } from '../job/life/outcome.ts';
import { prepare, type Prepared } from '../job/prepare/prepare.ts';
import { type Ended, type EndedRun, putBack } from '../job/life/put-back.ts';
import { runToEnd } from '../job/run.ts';
import { readJob } from '../slurm/job.ts';
import { ownVariables } from '../slurm/own-variables.ts';
import { watchStep } from '../slurm/step.ts';
import { asCalled } from './called-as.ts';
import { jsonFlag, type Verb, type VerbInput } from './verb.ts';

export const runVerb: Verb = {
  summary: 'The supervisor: services up, ingest and query work, serve, stop cleanly (default).',
  usage:
    'run [--mode ingest|query|serve] [--input-file PATH]... [--query TEXT] [--working-dir DIR] [-- COMMAND ...]',
  examples: [
    'sbatch sbatch/rag_allinone.sbatch',
    'node dist/supervisor.js run --mode ingest --input-file papers/',
    'node dist/supervisor.js --input-file papers/ --query "Which dose was used?"',
    'node dist/supervisor.js run -- python train.py   # beside the services, which end with it',
  ],
  settings: ['paths', 'work', 'ollama', 'retrieval', 'gpus'],
  flags: { json: jsonFlag, query: { kind: 'value', meaning: 'A question to answer.' } },
  async run(given) {
    const { signal: told } = given;
    const environment = await ownVariables(given.environment, { timeoutMs: 5_000, signal: told });
    const input = { ...given, environment };
    await using prepared = await prepareUnlessStopped(input);
    if (prepared === undefined) return endEarly(input);
    for (const warning of prepared.warnings) input.tell(`warning: ${warning}`);
    using step = await watchStep(prepared.job);
    const signal = AbortSignal.any([input.signal, step.gone]);
    const stoppable = { ...input, signal, inPhases: true };
    const exit = await withJob(prepared, stoppable, (open) => supervise(open, stoppable));
    await putBackAndTell(prepared, { exit, reason: signal.reason }, input);
    if (prepared.dryRun && !input.line.switches.has('json'))
      input.print(asCalled(whatToTryNext, { path: input.environment['PATH'] }));
    return exit;
  },
};

async function prepareUnlessStopped(input: VerbInput): Promise<Prepared | undefined> {
  try {
    return await prepare(input);
  } catch (error) {
    if (input.signal.aborted && codeOf(error) === 'aborted') return undefined;
    throw error;
  }
}

/** Who is told to stop before anything has begun has all of his work left, and his log ends as any other's. */
async function endEarly(input: VerbInput): Promise<number> {
  const { line, environment, signal, tell, paint } = input;
  const exit = errorTable.stopped.exit;
  const text = stoppedEarlyText(exit, signal.reason);
  tell(logLine({ at: new Date(), phase: 'starting', level: 'info', text }, paint.err));
  const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
  await putBackAndTell(
    { job: readJob(environment), settings, environment },
    { exit, reason: signal.reason },
    input,
  );
  return exit;
}

async function putBackAndTell(run: EndedRun, ended: Ended, { tell, paint }: VerbInput): Promise<void> {
  const text = await putBack(run, ended);
  if (text !== undefined) tell(logLine({ at: new Date(), phase: 'ended', level: 'info', text }, paint.err));
}

/** The endpoint is there from the first moment, so that /readyz can say what is missing; its file comes when all is ready. */
async function supervise(open: OpenJob, { line, signal, print, terminal }: VerbInput): Promise<number> {
  const json = line.switches.has('json');
  const started = performance.now();
  await using keys = await openKeys(open);
  const orders = openOrders({
    library: open.work.library,
    signal: AbortSignal.any([signal, open.lost]),
    log: open.log,
  });
  await using endpoint = await openFace(open, keys, orders);
  const done = await runToEnd({
    open,
    stop: signal,
    terminal,
    onAnswer: (record) =>
      print(
        json
          ? JSON.stringify(record)
          : `${open.prepared.dryRun ? `${record.query}\n\n` : ''}${answerText(record)}`,
      ),
    publish: () => publish(open, endpoint, keys.files),
    endpoint,
    orders,
    files: keys.files,
  });
  const { RAG_MAX_FAILED: tolerated } = open.prepared.settings;
  const exit = makeExitCode(done, tolerated);
  const reason = outcomeText(exit, done, tolerated);
  open.watch.outcome({ exit, reason });
  open.log('info', `ended with ${exit}: ${reason}${nextText(exit, keptLogs(open.prepared, open.folders))}`);
  if (json) print(JSON.stringify(makeSummary(done.ingest, (performance.now() - started) / 1000, exit)));
  return exit;
}
