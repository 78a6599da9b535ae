import { answerText, whatToTryNext } from '../observe/answer.ts';
import { codeOf, errorTable } from '../errors.ts';
import { logLine } from '../observe/log-line.ts';
import { openFace, openKeys, publish } from '../job/shown/face.ts';
import { keptLogs, nextText, stoppedEarlyText } from '../job/shown/job-lines.ts';
import { openOrders } from '../job/documents/ingest-orders.ts';
import { withJob, type OpenJob } from '../job/open.ts';
import { makeExitCode, makeSummary, outcomeText } from '../job/life/outcome.ts';
import { prepare, type Prepared } from '../job/prepare/prepare.ts';
import { putBack } from '../job/life/put-back.ts';
import { runToEnd } from '../job/run.ts';
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
  async run(input) {
    await using prepared = await prepareUnlessStopped(input);
    if (prepared === undefined) return errorTable.stopped.exit;
    for (const warning of prepared.warnings) input.tell(`warning: ${warning}`);
    using step = await watchStep(prepared.job);
    const signal = AbortSignal.any([input.signal, step.gone]);
    const stoppable = { ...input, signal, inPhases: true };
    const exit = await withJob(prepared, stoppable, (open) => supervise(open, stoppable));
    const back = await putBack(prepared, { exit, reason: signal.reason });
    if (back !== undefined)
      input.tell(logLine({ at: new Date(), phase: 'ended', level: 'info', text: back }, input.paint.err));
    if (prepared.dryRun && !input.line.switches.has('json'))
      input.print(asCalled(whatToTryNext, { path: input.environment['PATH'] }));
    return exit;
  },
};

/** Who is told to stop as early as this has nothing to lose, and his log ends as any other's. */
async function prepareUnlessStopped(input: VerbInput): Promise<Prepared | undefined> {
  const { signal, tell, paint } = input;
  try {
    return await prepare(input);
  } catch (error) {
    if (!signal.aborted || codeOf(error) !== 'aborted') throw error;
    const text = stoppedEarlyText(errorTable.stopped.exit, signal.reason);
    tell(logLine({ at: new Date(), phase: 'starting', level: 'info', text }, paint.err));
    return undefined;
  }
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
