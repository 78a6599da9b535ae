/** Filters as users write them: `document=reports/**`, `page=3..9`, `year=2020,2021`. Pure. */
import { RagError } from '../errors.ts';
import type { Condition, Filter } from '../work.ts';

const globFields = ['document', 'corpus', 'file', 'title'] as const;

/**
 * Several conditions must all hold, of the values after one `=` any; `\,` is a comma in a value.
 *
 * @param given `NAME=VALUE[,VALUE]` each
 * @throws usage
 */
export function readFilter(given: readonly string[]): Filter {
  return given.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw unreadable(text, 'NAME=VALUE is wanted');
    const values = text
      .slice(at + 1)
      .split(/(?<!\\),/u)
      .map((value) => value.replaceAll(String.raw`\,`, ',').trim());
    return makeCondition(text.slice(0, at).trim(), values);
  });
}

/**
 * The same in JSON: `{"document": "reports/**", "year": [2020, 2021]}`, where a comma is a comma, or strings as above.
 *
 * @throws usage
 */
export function readJsonFilter(given: unknown): Filter {
  if (typeof given === 'string') return readFilter([given]);
  if (Array.isArray(given) && given.every((each) => typeof each === 'string')) return readFilter(given);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw unreadable(JSON.stringify(given), 'an object, a string or a list of strings is wanted');
  return Object.entries(given as Readonly<Record<string, unknown>>).map(([name, value]) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (!values.every(isScalar)) throw unreadable(name, 'strings, numbers and booleans are its values');
    return makeCondition(name, values.map(String));
  });
}

const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

function makeCondition(name: string, values: readonly string[]): Condition {
  if (values.length === 0 || values.includes('')) throw unreadable(`${name}=`, 'a value is wanted');
  const field = globFields.find((each) => each === name);
  if (field !== undefined) return { field, globs: values };
  if (name === 'page') return { field: 'page', ranges: values.map(readRange) };
  return { field: 'label', labels: values.map((value) => `${name}=${value}`) };
}

/** The last page that a document may have. */
const lastPage = 2 ** 31 - 1;

/** `5`, `3..9`, `3..`, `..9`. */
function readRange(text: string): readonly [number, number] {
  const [, from = '', dots = '', to = ''] = /^(\d{0,9})(\.\.)?(\d{0,9})$/u.exec(text) ?? [];
  if (dots === '') {
    if (from === '') throw unreadable(`page=${text}`, 'a page or a range of pages is wanted');
    return [Number(from), Number(from)];
  }
  const range = [from === '' ? 1 : Number(from), to === '' ? lastPage : Number(to)] as const;
  if ((from === '' && to === '') || range[0] > range[1])
    throw unreadable(`page=${text}`, 'a first page and one that is not before it are wanted');
  return range;
}

const unreadable = (text: string, wanted: string): RagError =>
  new RagError('usage', `Cannot filter by "${text.slice(0, 80)}": ${wanted}`, {
    hint: "--filter 'document=reports/**' --filter page=3..9 --filter year=2020,2021",
  });
