/** A filter as the condition that LanceDB evaluates before it searches. Pure; whatever a user writes stays a string. */
import type { Condition, Filter } from '../work.ts';
import { sqlString } from './tables.ts';

/** Undefined where everything may be found. */
export const filterSql = (filter: Filter | undefined): string | undefined =>
  filter === undefined || filter.length === 0 ? undefined : filter.map(conditionSql).join(' AND ');

const either = (conditions: readonly string[]): string => `(${conditions.join(' OR ')})`;

function conditionSql(condition: Condition): string {
  switch (condition.field) {
    case 'document':
      return either(condition.globs.map(documentSql));
    case 'corpus':
      return either(condition.globs.map((glob) => matches('document', `^${globRegex(glob)}(/[^#]*)?#`)));
    case 'file':
      return either(condition.globs.map(fileSql));
    case 'title':
      return either(condition.globs.map((glob) => matches('title', `^${globRegex(glob, '.')}$`, 'is')));
    case 'page':
      return either(
        condition.ranges.map(([from, to]) => `(page > 0 AND page <= ${to} AND page_end >= ${from})`),
      );
    case 'label':
      return `array_has_any(labels, [${condition.labels.map(sqlString).join(', ')}])`;
  }
}

/** A key names a document, or the corpus whose rows are documents. */
const documentSql = (glob: string): string =>
  hasWildcard(glob)
    ? matches('document', `^${globRegex(glob)}$`)
    : `document = ${sqlString(glob)} OR starts_with(document, ${sqlString(`${glob}#`)})`;

/** A path that does not begin at the root is looked for at the end. */
const fileSql = (glob: string): string =>
  matches('file', `${glob.startsWith('/') ? '^' : '(^|/)'}${globRegex(glob)}$`);

const matches = (column: string, regex: string, flags = ''): string =>
  `regexp_like(${column}, ${sqlString(regex)}${flags === '' ? '' : `, ${sqlString(flags)}`})`;

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
