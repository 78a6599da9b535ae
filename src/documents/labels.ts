/** What a document can be filtered by beside its key, title and pages: `name=value` each. Pure. */
import { extname } from 'node:path';

/** Of one document: a corpus may hold its whole metadata in every row. */
const mostLabels = 32;
const longestName = 64;
/** Longer ones are texts, which nobody filters by. */
const longestValue = 200;

/** The fields that are the row itself. */
const ownFields: ReadonlySet<string> = new Set(['id', '_id', 'title', 'text', 'content', 'contents']);

/**
 * The other fields of a corpus row, and those of its `metadata` (BEIR, FlashRAG): strings, numbers, booleans, and
 * lists of them, one label for each element.
 */
export function rowLabels(fields: Readonly<Record<string, unknown>>): string[] {
  const { metadata, ...rest } = fields;
  const all = [...Object.entries(rest), ...(isRecord(metadata) ? Object.entries(metadata) : [])];
  const labels = new Set<string>();
  for (const [name, value] of all) {
    if (ownFields.has(name) || !isName(name)) continue;
    for (const each of Array.isArray(value) ? value : [value])
      if (isShort(each) && labels.size < mostLabels) labels.add(`${name}=${String(each)}`);
  }
  return [...labels];
}

/** `type=pdf`: of a file its extension, which is what a reader calls its type. */
export function fileLabels(file: string): string[] {
  const type = extname(file).slice(1).toLowerCase();
  return /^[\da-z]{1,10}$/u.test(type) ? [`type=${type}`] : [];
}

const isName = (name: string): boolean => name.length <= longestName && /^[\p{L}\p{N}_.-]+$/u.test(name);

const isShort = (value: unknown): value is string | number | boolean =>
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && value !== '' && value.length <= longestValue);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
