/** An ingest on a real Slurm is cancelled in the middle: whatever was embedded is committed. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { SupervisorStatus } from '../../src/job/shown/status.ts';
import type { Cluster, SubmittedJob } from '../journeys/cluster.ts';
import { smallChunks } from '../journeys/corpus.ts';
import { runProgram, until } from '../journeys/program.ts';
import type { Found } from './fault.ts';
import { environmentOf } from './slurm-service.ts';
import { checkout, type World } from './world.ts';

/** The first chunk of a document says that it is done: it is committed last, so that of one in hand it is embedded again. */
const documentsUnderWay = 4;

export async function seeDrain(cluster: Cluster, world: World): Promise<Found> {
  const corpus = join(world.folder, 'corpus');
  writeUniqueTexts(corpus);
  const env = { ...environmentOf(world), ...smallChunks };
  const words = ['--mode', 'ingest', '--input-file', corpus, '--json'];
  await using job = await cluster.submit({ words, sbatch: ['--no-requeue'], env });
  await untilDocumentsAreDone(job);
  await cluster.slurm('scancel', job.id);
  const since = performance.now();
  await until('an empty node', 30_000, () => world.marked().length === 0 || undefined);
  const ms = performance.now() - since;
  const { state, exit } = await cluster.untilEnded(job, 30_000);
  const output = await job.output();
  assert.equal(`${state} ${exit}`, 'CANCELLED 75:0', output);
  assert.doesNotMatch(output, /started again|has failed/);

  const [first, second] = [summaryIn(output), await finish(words, env)];
  assert.ok(first.embedded > 0 && second.embedded > 0, output);
  const twice = first.embedded + second.embedded - second.chunksOfIndex;
  assert.ok(twice >= 0 && twice <= documentsUnderWay, `${twice} texts were embedded twice`);
  return { outcome: 'clean', ms, detail: 'CANCELLED 75:0, all that was embedded is committed' };
}

/** Told by the state file, once a second. */
const untilDocumentsAreDone = (job: SubmittedJob): Promise<true> =>
  until('the first documents', 60_000, () => {
    const folder = join(job.runtime, 'supervisors');
    const [name] = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
    if (name === undefined) return undefined;
    const { progress } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as SupervisorStatus;
    return progress.documents_done > 0 ? true : undefined;
  });

const summaryIn = (text: string): { embedded: number } =>
  JSON.parse(/^\{.*\}$/m.exec(text)?.[0] ?? '') as { embedded: number };

/** The same command again, outside Slurm. */
async function finish(words: readonly string[], env: Readonly<Record<string, string>>) {
  const path = `${join(checkout, 'test/fixtures/fake-ollama')}${delimiter}${process.env['PATH']}`;
  const outside = { env: { ...env, PATH: path, RAG_ENGINE: 'ollama', RAG_ALLOW_CPU: '1' } };
  const again = await runProgram(['run', ...words], outside);
  assert.equal(again.code, 0, again.stderr);
  const inspected = await runProgram(['index', 'inspect', '--json'], outside);
  const { chunks: chunksOfIndex } = JSON.parse(inspected.stdout) as { chunks: number };
  return { ...summaryIn(again.stdout), chunksOfIndex };
}

/** No text twice: as many texts as chunks. Lines are too short to be cut. */
function writeUniqueTexts(folder: string): void {
  mkdirSync(folder);
  for (let file = 0; file < 300; file += 1) {
    const lines = Array.from(
      { length: 150 },
      (_, line) => `Probe ${file}-${line} has measured ${line * file}.`,
    );
    writeFileSync(join(folder, `${file}.md`), lines.join('\n\n'));
  }
}
