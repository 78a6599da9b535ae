import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, RagError } from '../errors.ts';
import type { ParsedText } from './block.ts';
import { cleanText } from './clean.ts';
import { isContentList, parseContentList } from './content-list.ts';
import { isDocling, parseDocling } from './docling.ts';
import { parseMarkdown } from './markdown.ts';
import { readWhole } from './read.ts';

/** MinerU writes its files two folders deep, among pictures. */
const mostFiles = 20_000;

/**
 * What an outside parser wrote: the list of contents of MinerU, which has pages; else the document of Docling,
 * which has them too; else Markdown.
 *
 * @throws bad-document when there is none of them, or it cannot be read
 */
export function readOutsideOutput(folder: string, maxBytes: number): ParsedText {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .slice(0, mostFiles)
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const text = (path: string): string => cleanText(readWhole(path, maxBytes).toString('utf8'));
  const lists = files.filter((path) => path.endsWith('content_list.json'));
  const others = files.filter((path) => path.endsWith('.json') && !lists.includes(path));
  for (const path of [...lists, ...others]) {
    const value = parsedJson(text(path), path);
    if (isContentList(value)) return parseContentList(value);
    if (isDocling(value)) return parseDocling(value);
  }
  const markdown = files.filter((path) => path.endsWith('.md')).map((path) => parseMarkdown(text(path)));
  const [first] = markdown;
  if (first === undefined) {
    throw new RagError(
      'bad-document',
      'RAG_PARSER wrote neither a list of contents, a Docling document nor Markdown',
    );
  }
  return { title: first.title, blocks: markdown.flatMap(({ blocks }) => blocks) };
}

function parsedJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RagError('bad-document', `RAG_PARSER wrote ${path}, which is not JSON: ${messageOf(error)}`);
  }
}
