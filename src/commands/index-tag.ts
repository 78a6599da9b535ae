import { RagError } from '../errors.ts';
import type { Tag } from '../store/versions/tagged.ts';
import type { IndexInput } from './index-actions.ts';

/** Names the index as it is now; without a name, or with `--list`, says which names there are. */
export async function tagIndex({ store, words, switches, json, print }: IndexInput): Promise<number> {
  const [name, ...more] = words;
  if (more.length > 0 || (name === undefined && switches.has('delete'))) {
    throw new RagError('usage', `Cannot tag: ${words.length} names are given, one is wanted`, {
      hint: 'node dist/supervisor.js index tag paper-1',
    });
  }
  if (name === undefined || switches.has('list')) {
    const tags = await store.tags();
    print(json ? JSON.stringify({ tags }) : tags.map(tagText).join('\n') || 'no version has a name');
  } else if (switches.has('delete')) {
    await store.untag(name);
    print(json ? JSON.stringify({ deleted: name }) : `${name} deleted`);
  } else {
    const tag = await store.tag(name);
    print(json ? JSON.stringify(tag) : `${tagText(tag)}${leftOut(tag)}\nread it: RAG_INDEX_VERSION=${name}`);
  }
  return 0;
}

const tagText = ({ name, made, documents, chunks }: Tag): string =>
  `${name}  ${made}  ${documents} documents, ${chunks} chunks`;

const leftOut = ({ left_out: { documents, shards } }: Tag): string =>
  shards === 0
    ? ''
    : `\nleft out: ${documents} documents that other runs have written and not yet merged (${shards} shards)`;
