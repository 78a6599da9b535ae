/** Asks the file system and the store about listed files before they are opened, many in one question. */
import { fileOf } from '../documents/failed.ts';
import type { Called, ParseTask } from '../documents/types.ts';
import type { Known, Store } from '../store/types.ts';
import type { SeenFiles } from '../work.ts';
import { fileState, type FileState } from './file-state.ts';
import type { ListedItem } from './listing.ts';
import { corpusName, type Origins } from './origins.ts';
import type { PortionItem } from './portions.ts';
import type { Sightings } from './prune.ts';
import { isNamedRows, mayNeedSlicing, sliceRows } from './slices.ts';
import type { Stamps } from './stamps.ts';

/** One question to the index costs about the same for one document and for a thousand. */
const mostFiles = 1000;
/** The first questions are small: the embedder waits for them. */
const firstFiles = 32;

export type Task =
  | ParsingTask
  /** Small files that the index has: one order to hash them all costs a third of an order for each. */
  | { readonly kind: 'compare'; readonly files: readonly ParsingTask[] }
  /** Documents that need no reading. */
  | { readonly kind: 'unchanged'; readonly documents: number }
  | { readonly kind: 'failed'; readonly item: FailedItem };

export interface ParsingTask {
  readonly kind: 'parse';
  /** Of the file. */
  readonly key: string;
  readonly task: ParseTask;
  readonly known: ReadonlyMap<string, Known>;
}

type FileItem = Extract<ListedItem, { kind: 'file' }>;
type FailedItem = Extract<ListedItem, { kind: 'failed' }>;

export interface Knowledge {
  readonly store: Pick<Store, 'known' | 'corpusState'>;
  readonly stamps: Stamps;
  readonly origins: Origins;
  /** Every file is read, whatever its stamp says. */
  readonly rehash: boolean;
  readonly sightings: Sightings;
  /** Undefined: everything is due. */
  readonly seen: SeenFiles | undefined;
}

/** Files carry what is known under their names; rows, of corpora by any name, are only named once they are parsed. */
export async function* withKnown(
  items: AsyncIterable<PortionItem>,
  knowledge: Knowledge,
): AsyncGenerator<Task, void, undefined> {
  let files: FileItem[] = [];
  let most = firstFiles;
  // One look-up ahead of the tasks, so that no thread waits for the next one.
  let ahead: Promise<LookedUp> | undefined;
  const exchange = (): Promise<LookedUp> | undefined => {
    const before = ahead;
    ahead = files.length === 0 ? undefined : lookUp(files, knowledge);
    ahead?.catch(() => undefined); // told where its tasks are wanted
    files = [];
    return before;
  };
  for await (const item of items) {
    if (item.kind === 'failed') {
      if (knowledge.seen?.isDue(item.key, item.reason) !== false) yield { kind: 'failed', item };
    } else if (item.kind === 'rows') yield sliceTask(item, knowledge.origins);
    else files.push(item);
    if (files.length < most) continue;
    yield* tasksOf(await exchange(), knowledge);
    most = Math.min(2 * most, mostFiles);
  }
  yield* tasksOf(await exchange(), knowledge);
  yield* tasksOf(await exchange(), knowledge);
}

interface LookedUp {
  readonly files: readonly FileItem[];
  readonly states: readonly (FileState | undefined)[];
  readonly known: ReadonlyMap<string, Known>;
}

async function lookUp(listed: readonly FileItem[], knowledge: Knowledge): Promise<LookedUp> {
  const found = await Promise.all(listed.map(({ path }) => fileState(path)));
  const isDue = (file: FileItem, at: number): boolean =>
    knowledge.seen?.isDue(file.key, found[at]?.version ?? 'unknown') !== false;
  const due = listed.map(isDue);
  const files = listed.filter((_, at) => due[at]);
  const states = found.filter((_, at) => due[at]);
  const keys = files.map(({ key }) => key);
  return { files, states, known: keys.length === 0 ? new Map() : await knowledge.store.known(keys) };
}

type SliceItem = Extract<PortionItem, { kind: 'rows' }>;

/** Of a corpus that several runs share: none of them meets all of it, so none gives it a stamp. */
function sliceTask(item: SliceItem, origins: Origins): Task {
  origins.begin(item.key, undefined);
  return sliceOf(item);
}

function sliceOf(item: SliceItem): ParsingTask {
  const { kind, key, path, from, to } = item;
  return {
    kind: 'parse',
    key,
    task: { kind, path, corpus: key, from, to, ...calledOf(item) },
    known: new Map(),
  };
}

const calledOf = ({ name, title }: Called): Called => ({
  ...(name !== undefined && { name }),
  ...(title !== undefined && { title }),
});

async function* tasksOf(lookedUp: LookedUp | undefined, knowledge: Knowledge): AsyncGenerator<Task> {
  if (lookedUp === undefined) return;
  const { files, states, known } = lookedUp;
  let small: ParsingTask[] = [];
  for (const [at, file] of files.entries()) {
    const state = states[at];
    const documents = state === undefined ? 0 : await untouchedDocuments(file, state, known, knowledge);
    if (documents > 0) {
      yield { kind: 'unchanged', documents };
      continue;
    }
    for await (const task of readingTasks(file, state, known, knowledge.origins)) {
      if (isSmallAndKnown(task, state)) small.push(task);
      else yield task;
    }
    if (small.length < compared) continue;
    yield { kind: 'compare', files: small };
    small = [];
  }
  if (small.length > 0) yield { kind: 'compare', files: small };
}

/** At 32 files of 100 kB the order is 1 % of the time that their hashing takes. */
const compared = 32;
/** All of them are held at once. */
export const mostComparedBytes: number = 256 * 1024;

const isSmallAndKnown = ({ task }: ParsingTask, state: FileState | undefined): boolean =>
  task.kind === 'file' && task.known !== null && (state?.size ?? Infinity) <= mostComparedBytes;

/** How many documents of the file stand in the index as they were when the file was read in this state; 0: read it. */
async function untouchedDocuments(
  { key }: FileItem,
  state: FileState,
  known: ReadonlyMap<string, Known>,
  { store, stamps, rehash, sightings }: Knowledge,
): Promise<number> {
  if (rehash) return 0;
  const done = known.get(key)?.done;
  if (done != null && stamps.has(key, state, done)) {
    sightings.see(key);
    return 1;
  }
  if (!stamps.has(corpusName(key), state, '')) return 0;
  const { rows, digest } = await store.corpusState(key);
  if (!stamps.has(corpusName(key), state, digest)) return 0;
  sightings.passOver(key);
  return rows;
}

async function* readingTasks(
  file: FileItem,
  state: FileState | undefined,
  known: ReadonlyMap<string, Known>,
  origins: Origins,
): AsyncGenerator<ParsingTask> {
  const { key, path } = file;
  // Where it cannot be asked for its size, the thread that opens it says why.
  const size = state?.size ?? 1;
  // MedRAG's corpora have empty parts: they are no documents.
  if (size === 0 && isNamedRows(fileOf(file))) return;
  origins.begin(key, state);
  if (mayNeedSlicing(fileOf(file), size)) {
    let isSliced = false;
    for await (const { from, to } of sliceRows(path, size)) {
      isSliced = true;
      origins.begin(key, state);
      yield sliceOf({ ...file, kind: 'rows', from, to });
    }
    if (isSliced) {
      origins.end(key);
      return;
    }
  }
  const done = known.get(key)?.done ?? null;
  const task = { kind: 'file', path, key, known: done, bytes: size, ...calledOf(file) } as const;
  yield { kind: 'parse', key, task, known };
}
