import type { Archive } from './archive.ts';
import type { Block } from './block.ts';
import { cleanLine } from './clean.ts';
import { rowLine, tableBlock } from './table-rows.ts';
import { readXml } from './xml.ts';

interface Series {
  name: string;
  readonly categories: string[];
  readonly values: string[];
}

/** The numbers behind a chart, as the program that made it last saw them: its title, then a table of its series. */
export async function readChart(archive: Archive, part: string): Promise<Block[]> {
  const all: Series[] = [];
  let title = '';
  let series: Series | undefined;
  /** What the values that come are: `tx` the name of the series, `cat` or `xVal` its categories. */
  let role = '';
  let index = 0;
  let isText = false;
  let text = '';
  await readXml(archive.pieces(part), {
    open(name, attributes) {
      if (name === 'c:ser') all.push((series = { name: '', categories: [], values: [] }));
      else if (name === 'c:title') role = 'title';
      else if (/^c:(?:tx|cat|val|xVal|yVal)$/u.test(name) && role !== 'title') role = name.slice(2);
      else if (name === 'c:pt') index = Number(attributes['idx']) || 0;
      else if (name === 'c:v' || name === 'a:t') {
        isText = true;
        text = '';
      }
    },
    close(name) {
      if (name === 'c:ser') series = undefined;
      else if (name === 'c:title' || name === `c:${role}`) role = '';
      else if (name === 'c:v' || name === 'a:t') {
        isText = false;
        if (role === 'title') title = `${title} ${text}`;
        else if (series !== undefined && index < mostPoints) put(series, role, index, text);
      }
    },
    text: (piece) => void (text += isText ? piece : ''),
  });
  return [...blockOf(title), ...tableOf(all)];
}

const mostPoints = 10_000;

function put(series: Series, role: string, index: number, text: string): void {
  if (role === 'tx') series.name = text;
  else if (role === 'cat' || role === 'xVal') series.categories[index] = text;
  else if (role === 'val' || role === 'yVal') series.values[index] = text;
}

const blockOf = (title: string): Block[] =>
  cleanLine(title) === '' ? [] : [{ kind: 'text', text: cleanLine(title) }];

/** Charts of more series are noise. */
const mostSeries = 100;

function tableOf(all: readonly Series[]): Block[] {
  const shown = all.slice(0, mostSeries);
  const categories = shown.find((one) => one.categories.length > 0)?.categories ?? [];
  const count = Math.max(categories.length, ...shown.map(({ values }) => values.length), 0);
  const rows = Array.from({ length: count }, (_, n) => [
    categories[n] ?? '',
    ...shown.map(({ values }) => values[n] ?? ''),
  ]);
  const lines = [['', ...shown.map(({ name }) => name)], ...rows]
    .map((row) => rowLine(row.map(cleanLine)))
    .filter((line) => line !== '');
  return count === 0 || lines.length === 0 ? [] : [tableBlock(lines, 1)];
}
