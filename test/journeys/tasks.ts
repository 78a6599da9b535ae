/** Tasks of an array, as programs: supervisors that ingest one corpus into one index. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ended, type Program, runProgram, startProgram } from './program.ts';

/** No two chunks of it are equal, so that every text that is embedded twice is seen. */
export async function writeDistinctCorpus(folder: string, documents: number, parts: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let n = 0; n < documents; n += 1) {
    const words = (part: number): string =>
      Array.from({ length: 12 }, (_, at) => `word${n}x${part}x${at} was measured`).join(' ');
    const body = Array.from({ length: parts }, (_, part) => `## Part ${part}\n\n${words(part)}.\n`);
    await writeFile(join(folder, `${String(n).padStart(3, '0')}.md`), `# Report ${n}\n\n${body.join('\n')}`);
  }
}

export interface TaskOptions {
  /** Holds the corpus, the indexes and what else the tasks write. */
  readonly folder: string;
  readonly index: string;
  /** Id of the array; undefined: they know nothing of each other. */
  readonly array?: number;
  readonly task: number;
  readonly restart?: number;
  readonly takeoverSeconds?: number;
  readonly mode?: 'ingest' | 'serve';
  readonly watchSeconds?: number;
}

export const corpusIn = (folder: string): string => join(folder, 'corpus');

const environment = ({
  folder,
  index,
  takeoverSeconds = 120,
  watchSeconds = 0,
}: Omit<TaskOptions, 'task'>): Record<string, string> => ({
  RAG_ENGINE: 'embedded',
  RAG_CHUNK_TOKENS: '64',
  RAG_CHUNK_OVERLAP: '0',
  RAG_SHARED_ROOT: join(folder, 'shared'),
  RAG_WORKING_DIR: join(folder, index),
  RAG_TAKEOVER_SECONDS: String(takeoverSeconds),
  RAG_WATCH_SECONDS: String(watchSeconds),
  LOG_ROOT: join(folder, 'logs'),
  TMPDIR: folder,
});

const ofSlurm = ({ array, task, restart = 0 }: TaskOptions): Record<string, string> =>
  array === undefined
    ? {}
    : {
        SLURM_JOB_ID: String(array + 1 + task),
        SLURM_ARRAY_JOB_ID: String(array),
        SLURM_ARRAY_TASK_ID: String(task),
        SLURM_ARRAY_TASK_COUNT: '4',
        SLURM_ARRAY_TASK_MIN: '0',
        SLURM_ARRAY_TASK_STEP: '1',
        SLURM_RESTART_COUNT: String(restart),
        SLURM_CPUS_ON_NODE: '2',
      };

export const startTask = (options: TaskOptions): Program =>
  startProgram(
    ['run', '--mode', options.mode ?? 'ingest', '--input-file', corpusIn(options.folder), '--json'],
    { env: { ...environment(options), ...ofSlurm(options) } },
  );

export interface Summary {
  readonly documents: { readonly processed: number; readonly unchanged: number; readonly failed: number };
  readonly chunks: number;
  readonly embedded: number;
}

/** The last line of a task that ended well. */
export function summaryOf({ code, stdout, stderr }: Ended): Summary {
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Summary;
}

export interface Inspection {
  readonly documents: { readonly processed: number; readonly failed: number; readonly needs_ocr: number };
  readonly chunks: number;
  readonly shards: number;
}

/** Counts what the index says it has, and every row that it has. */
export async function inspect(folder: string, index: string): Promise<Inspection> {
  const env = environment({ folder, index });
  const [inspected, verified] = await Promise.all(
    ['inspect', 'verify'].map((what) => runProgram(['index', what, '--json'], { env })),
  );
  assert.equal(verified?.code, 0, verified?.stdout);
  assert.equal(inspected?.code, 0, inspected?.stderr);
  const { documents, chunks, shards } = JSON.parse(inspected?.stdout ?? '') as Inspection;
  return { documents, chunks, shards };
}

/** How many portions a task of the round that goes on in this index has finished; undefined before it is there. */
export async function portionsDone(folder: string, index: string, task: number): Promise<number | undefined> {
  const sharing = join(folder, index, 'sharing');
  for (const round of await readdir(sharing).catch(() => [])) {
    const members = join(sharing, round, 'members');
    for (const name of await readdir(members).catch(() => [])) {
      const text = await readFile(join(members, name), 'utf8').catch(() => '{}');
      const member = parse(text);
      if (member?.who.startsWith(`${task}.`) === true) return member.done.length;
    }
  }
  return undefined;
}

function parse(text: string): { readonly who: string; readonly done: readonly number[] } | undefined {
  try {
    const member = JSON.parse(text) as { who?: string; done?: number[] };
    return member.who === undefined || member.done === undefined
      ? undefined
      : { who: member.who, done: member.done };
  } catch {
    return undefined;
  }
}
