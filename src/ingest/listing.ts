import type { Called } from '../documents/types.ts';
import { RagError } from '../errors.ts';
import type { ListedRoot } from '../store/select.ts';
import { openKeys } from './listing-keys.ts';
import { filesOf, readSource, type Source } from './listing-source.ts';
import type { Found } from './listing-walk.ts';
import type { Inputs } from '../work.ts';

/** One thing to ingest, or why something that was named is not. */
export type ListedItem =
  | ({ readonly kind: 'file'; readonly key: string; readonly path: string } & Called)
  | { readonly kind: 'failed'; readonly key: string; readonly file: string; readonly reason: string };

const hint =
  "Name files, folders, a glob in quotes or @list, e.g. --input-file papers --input-file 'notes/**/*.md'";

/**
 * Every file that the inputs name, in an order that two runs agree on. None is opened.
 * Memory stays flat: nothing is held but the names of the folders between the root and the current file.
 *
 * Uploads come last, which have their keys.
 *
 * @param onListed told of every folder when all that is in it has been listed. Not of an empty one, which may be a
 *   disk that is not mounted
 * @throws no-input when none of the inputs can be read, or there is no file in them; aborted
 */
export async function* listInputs(
  { inputs, from, uploads = [] }: Inputs,
  signal: AbortSignal,
  onListed: (root: ListedRoot) => void = () => undefined,
): AsyncGenerator<ListedItem> {
  const sources = await Promise.all(inputs.map((input) => readSource(input, from)));
  const nothingElse = uploads.length === 0;
  if (nothingElse && sources.every((source) => source.kind === 'missing')) throw noInput(sources);
  const giveKey = openKeys();
  let isEmpty = true;
  for (const source of sources) {
    if (source.kind === 'missing') {
      yield { kind: 'failed', key: source.path, file: source.path, reason: source.reason };
      continue;
    }
    let [isWhole, files] = [true, 0];
    for await (const found of filesOf(source)) {
      if (signal.aborted) throw new RagError('aborted', 'Cannot list the inputs: stopped');
      if (found.isFolder === true) isWhole = false;
      else files += 1;
      const key = giveKey(source, found);
      if (key === undefined) continue;
      isEmpty = false;
      yield itemOf(found, key);
    }
    if (source.kind === 'folder' && isWhole && files > 0) onListed({ root: source.root, glob: source.glob });
  }
  if (isEmpty && nothingElse) throw noInput(sources, inputs);
  for (const upload of uploads) yield { kind: 'file', ...upload };
}

const itemOf = ({ path, reason }: Found, key: string): ListedItem =>
  reason === undefined ? { kind: 'file', path, key } : { kind: 'failed', key, file: path, reason };

function noInput(sources: readonly Source[], inputs: readonly string[] = []): RagError {
  const missing = sources.filter((source) => source.kind === 'missing');
  const [first] = missing;
  const what =
    first === undefined
      ? `there is no file in ${inputs.join(', ') || 'no input'}`
      : `${first.path}: ${first.reason}${missing.length > 1 ? `, nor can ${missing.length - 1} more be read` : ''}`;
  return new RagError('no-input', `Cannot ingest: ${what}, at least one document is wanted`, { hint });
}
