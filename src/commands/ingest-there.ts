/** `ingest` by the supervisor that runs: it reads the files where it sees them too; else they are sent to it. */
import type { Connection } from '../client/connection.ts';
import { cancelIngest, newOrderId, orderIngest, type Ordered } from '../client/order-ingest.ts';
import { sendFiles } from '../client/send-files.ts';
import { sightsOf } from '../client/sights.ts';
import type { Settings } from '../config/settings.ts';
import { codeOf, RagError } from '../errors.ts';
import { nothingDone } from '../job/index/ingest.ts';
import { openProgress } from '../observe/progress.ts';
import { openSteps } from '../observe/steps.ts';
import type { Failure, IngestReport } from '../work.ts';
import { showIngest } from './ingest-shown.ts';
import type { VerbInput } from './verb.ts';

interface There {
  readonly input: VerbInput;
  readonly connection: Connection;
  readonly inputs: readonly string[];
  readonly settings: Settings;
}

/** @throws no-input, what the supervisor says, stopped, aborted */
export async function ingestThere(there: There): Promise<number> {
  const { input, settings } = there;
  const inPlace = await orderInPlace(there);
  const ordered = inPlace ?? (await sendAndOrder(there));
  return ordered === 'detached' ? 75 : showIngest(input, ordered, settings.RAG_MAX_FAILED);
}

type Outcome = IngestReport | 'detached';

/** @returns undefined where it does not see these files, or may not be told to read them */
async function orderInPlace(there: There): Promise<Outcome | undefined> {
  const { input, connection, inputs, settings } = there;
  const from = process.cwd();
  const sight = await sightsOf({ inputs, from }, input.signal);
  if (sight.length === 0) return undefined;
  const paths = { inputs, from, sight, rehash: settings.RAG_REHASH, prune: settings.RAG_PRUNE };
  input.tell(`${connection.name} ingests it`);
  const ordered = await follow(there, { paths });
  if (ordered === 'detached' || ordered.state === 'done')
    return ordered === 'detached' ? ordered : ordered.report;
  if (!['other-files', 'forbidden'].includes(ordered.code)) throw ordered.error;
  return undefined;
}

async function sendAndOrder(there: There): Promise<Outcome> {
  const { input, connection, inputs, settings } = there;
  if (settings.RAG_PRUNE) throw cannotPrune(connection);
  input.tell(`${connection.name} does not see these files, or may not be told to read them: they are sent`);
  const { files, failures } = await send(there, inputs);
  let report = withFailures(nothingDone, failures);
  for (let at = 0; at < files.length; at += filesInOrder) {
    const ordered = await follow(there, { files: files.slice(at, at + filesInOrder) });
    if (ordered === 'detached') {
      const rest = files.length - at - filesInOrder;
      if (rest > 0) input.tell(`${rest} more files are sent and not ingested: the same command again`);
      return ordered;
    }
    if (ordered.state === 'refused') throw ordered.error;
    report = together(report, ordered.report);
    if (!report.complete) break;
  }
  return report;
}

/** Some 210 bytes each, of the 64 MiB that an order may have. */
const filesInOrder = 50_000;

async function send({ input, connection }: There, inputs: readonly string[]) {
  const { signal } = input;
  using steps = openSteps(input, 'ingest', 'files');
  try {
    return await sendFiles(connection, {
      inputs: { inputs, from: process.cwd() },
      onSent: (sent, found) => steps.show('sent', sent, found),
      signal,
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new RagError(
      'stopped',
      'Cannot ingest: it was stopped while the files were sent, none of them is ingested',
      {
        hint: 'the same command again: what was sent is not sent again',
        cause: error,
      },
    );
  }
}

/** The work is the supervisor's: who stops waiting for it, stops waiting. */
async function follow({ input, connection }: There, what: object): Promise<Ordered | 'detached'> {
  const { tell, signal } = input;
  const id = newOrderId();
  using bar = openProgress(input);
  try {
    return await orderIngest(connection, {
      id,
      what,
      onProgress: (progress) => bar.show(progress),
      onLost: (why) => tell(`${connection.name} does not answer, it is asked again for a minute: ${why}`),
      signal,
    });
  } catch (error) {
    if (!signal.aborted || codeOf(error) !== 'aborted') throw error;
    tell(`${connection.name} goes on with it; to stop it: node dist/supervisor.js ingest --stop ${id}`);
    return 'detached';
  }
}

/** `ingest --stop ID` */
export async function stopIngest(
  input: VerbInput,
  connection: Connection,
  settings: Settings,
): Promise<number> {
  const { line, signal } = input;
  using bar = openProgress(input);
  const onProgress = bar.show.bind(bar);
  const report = await cancelIngest(connection, line.values['stop'] ?? '', { onProgress, signal });
  return showIngest(input, report, settings.RAG_MAX_FAILED);
}

const together = (one: IngestReport, other: IngestReport): IngestReport => ({
  ...other,
  documents: {
    processed: one.documents.processed + other.documents.processed,
    unchanged: one.documents.unchanged + other.documents.unchanged,
    failed: one.documents.failed + other.documents.failed,
    needs_ocr: one.documents.needs_ocr + other.documents.needs_ocr,
  },
  removed: one.removed + other.removed,
  chunks: one.chunks + other.chunks,
  embedded: one.embedded + other.embedded,
  failures: [...one.failures, ...other.failures],
  seconds: one.seconds + other.seconds,
});

const withFailures = (report: IngestReport, failures: readonly Failure[]): IngestReport => ({
  ...report,
  documents: { ...report.documents, failed: report.documents.failed + failures.length },
  failures: [...failures, ...report.failures],
});

const cannotPrune = ({ name }: Connection): RagError =>
  new RagError(
    'usage',
    `Cannot prune: ${name} does not see these folders, so that it cannot tell what is gone from them`,
    { hint: "node dist/supervisor.js index remove 'uploads//drafts/**'" },
  );
