/** A filter as the condition that LanceDB evaluates before it searches. Pure; whatever a user writes stays a string. */
import type { Condition, Filter } from '../../work.ts';
import { sqlString } from '../tables.ts';

/** Undefined where everything may be found. */
export const filterSql = (filter: Filter | undefined): string | undefined =>
  filter === undefined || filter.length === 0 ? undefined : filter.map(conditionSql).join(' AND ');

const either = (conditions: readonly string[]): string => `(${conditions.join(' OR ')})`;

function conditionSql(condition: Condition): string {
  if (condition.field === 'page') return either(condition.ranges.map(pagesSql));
  if (condition.field === 'label')
    return `array_has_any(labels, [${condition.labels.map(sqlString).join(', ')}])`;
  return either(condition.globs.map(globSql[condition.field]));
}

/** Rows without pages have 0. */
const pagesSql = ([from, to]: readonly [number, number]): string =>
  `(page > 0 AND page <= ${to} AND page_end >= ${from})`;

/** A key names a document, or the corpus whose rows are documents. */
function documentSql(glob: string): string {
  return hasWildcard(glob)
    ? matches('document', `^${globRegex(glob)}$`)
    : `document = ${sqlString(glob)} OR starts_with(document, ${sqlString(`${glob}#`)})`;
}

/** A path that does not begin at the root is looked for at the end. */
function fileSql(glob: string): string {
  return matches('file', `${glob.startsWith('/') ? '^' : '(^|/)'}${globRegex(glob)}$`);
}

const globSql = {
  document: documentSql,
  corpus: (glob: string): string => matches('document', `^${globRegex(glob)}(/[^#]*)?#`),
  file: fileSql,
  title: (glob: string): string => matches('title', `^${globRegex(glob, '.')}$`, 'is'),
} as const;

function matches(column: string, regex: string, flags = ''): string {
  return `regexp_like(${column}, ${sqlString(regex)}${flags === '' ? '' : `, ${sqlString(flags)}`})`;
}

const hasWildcard = (glob: string): boolean => /[*?]/u.test(glob);

/** `**` crosses folders, `*` and `?` do not. @param some what a `*` matches, one character */
const globRegex = (glob: string, some = '[^/]'): string =>
  glob.replaceAll(/\*\*\/|\*\*|\*|\?|[^*?]+/gu, (part) => {
    if (part === '**/') return '(.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return `${some}*`;
    return part === '?' ? some : escaped(part);
  });

const escaped = (text: string): string => text.replaceAll(/[\\^$.|+()[\]{}\-&~#]/gu, String.raw`\$&`);
