/** Which file of vectors belongs to which file of a corpus: as MedRAG and FlashRAG lay them, or as the user says. */
import { type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { RagError } from '../../errors.ts';
import { shellWord } from '../../observe/terminal.ts';

export interface CorpusFile {
  readonly path: string;
  /** Its key in the index. */
  readonly key: string;
}

export interface Pair {
  readonly corpus: CorpusFile;
  /** Path of the file. */
  readonly vectors: string;
}

/**
 * @param files of the corpus, in order, without empty ones
 * @param given a file (for one file of a corpus), a folder with `<stem>.npy` for each, or MedRAG's name of a retriever
 * (`ncbi/MedCPT-Query-Encoder`). Undefined: the only vectors that lie where MedRAG and FlashRAG put them
 * @throws no-input naming what is missing
 */
export async function findVectors(files: readonly CorpusFile[], given: string | undefined): Promise<Pair[]> {
  const kind = given === undefined ? 'none' : await kindOf(given);
  if (given !== undefined && kind === 'file') return [pairOf(files, given)];
  const pairs: Pair[] = [];
  for (const corpus of files) {
    const vectors =
      given === undefined
        ? await beside(corpus)
        : await inFolder(corpus, kind === 'folder' ? given : medragFolder(corpus, given));
    pairs.push({ corpus, vectors });
  }
  return pairs;
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'none'> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 'none';
  return found.isDirectory() ? 'folder' : 'file';
}

function pairOf(files: readonly CorpusFile[], vectors: string): Pair {
  const [corpus, ...more] = files;
  if (corpus !== undefined && more.length === 0) return { corpus, vectors };
  throw new RagError(
    'no-input',
    `Cannot import ${vectors}: the corpus has ${files.length} files, one is wanted for one file of vectors`,
    { hint: 'name one file of the corpus, or a folder with a .npy for each: --vectors FOLDER' },
  );
}

/** The vectors of passages are those of the article encoder, whose name MedRAG makes of the other's. */
const medragFolder = ({ path }: CorpusFile, retriever: string): string =>
  join(dirname(dirname(path)), 'index', retriever.replace('Query-Encoder', 'Article-Encoder'));

const stemOf = (path: string): string => basename(path).replace(/\.[^.]*$/u, '');

async function inFolder(corpus: CorpusFile, folder: string): Promise<string> {
  const name = `${stemOf(corpus.path)}.npy`;
  for (const place of [join(folder, 'embedding', name), join(folder, name)])
    if ((await kindOf(place)) === 'file') return place;
  throw missing(corpus, `${name} is not in ${folder}`);
}

async function beside(corpus: CorpusFile): Promise<string> {
  const retrievers = await medragRetrievers(join(dirname(dirname(corpus.path)), 'index'));
  const [retriever, ...others] = retrievers;
  if (retriever !== undefined && others.length === 0) return inFolder(corpus, retriever);
  if (retriever !== undefined)
    throw missing(corpus, `there are ${retrievers.length}: ${retrievers.join(', ')}`, retriever);
  const folder = dirname(corpus.path);
  const files = (await entriesOf(folder)).filter((entry) => entry.isFile() && isFlashrag(entry.name));
  const [file, ...more] = files.map(({ name }) => join(folder, name));
  if (file === undefined) throw missing(corpus, `none are in ${folder}`);
  if (more.length > 0)
    throw missing(corpus, `there are ${files.length}: ${[file, ...more].join(', ')}`, file);
  return file;
}

const isFlashrag = (name: string): boolean => /^emb_.+\.memmap$|_Flat\.index$|\.npy$/u.test(name);

/** `index/<name>` or `index/<owner>/<name>`, those with vectors in them. */
async function medragRetrievers(index: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (folder: string, depth: number): Promise<void> => {
    for (const { name } of (await entriesOf(folder)).filter((entry) => entry.isDirectory())) {
      if (name === 'embedding') found.push(folder);
      else if (depth > 0) await look(join(folder, name), depth - 1);
    }
  };
  await look(index, 2);
  return found;
}

const entriesOf = (folder: string): Promise<Dirent[]> =>
  readdir(folder, { withFileTypes: true }).catch(() => []);

const missing = (corpus: CorpusFile, what: string, one = 'FILE'): RagError =>
  new RagError(
    'no-input',
    `Cannot import the vectors of ${corpus.path}: ${what}, one for each row is wanted`,
    {
      hint: `--vectors ${one === 'FILE' ? one : shellWord(one)}   # a .npy, emb_<method>.memmap, a flat FAISS index, a folder of .npy, or a name as MedRAG's`,
    },
  );
