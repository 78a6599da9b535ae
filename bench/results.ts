/** Writes what a benchmark found into its section of RESULTS.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { basename, join } from 'node:path';

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit?: string;
  /** The figure to reach; with neither it is there to explain the others. */
  readonly atMost?: number;
  readonly atLeast?: number;
}

const file = join(import.meta.dirname, 'RESULTS.md');
const preamble =
  '# Measured\n\nWritten by `bench/run.sh`, never by hand. Each section is one run on one machine: its ratios mean something, its\nseconds only beside each other.\n';

/**
 * Prints the figures and replaces the benchmark's own section.
 *
 * @param url `import.meta.url` of the benchmark: the section has its name
 * @param notes how to read the figures, one sentence each
 */
export function report(
  url: string,
  question: string,
  figures: readonly Figure[],
  notes: readonly string[] = [],
): void {
  const name = basename(url, '.ts');
  const rows = figures.map((figure) => `| ${figure.what} | ${measured(figure)} | ${wanted(figure)} |`);
  const section = [
    `## ${name}`,
    '',
    question,
    '',
    '| | measured | wanted |',
    '|---|---|---|',
    ...rows,
    '',
    ...notes.map((note) => `- ${note}`),
    `- ${machine()}`,
    '',
  ].join('\n');
  console.log(section);
  const old = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split(/^(?=## )/m)
        .slice(1)
    : [];
  const others = old.filter((text) => !text.startsWith(`## ${name}\n`)).map((text) => text.trimEnd());
  const sections = [...others, section.trimEnd()].sort();
  writeFileSync(file, `${[preamble.trimEnd(), ...sections].join('\n\n')}\n`);
}

const inDigits = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));

const measured = ({ value, unit = '' }: Figure): string => `${inDigits(value)} ${unit}`.trim();

function wanted({ value, atMost, atLeast, unit = '' }: Figure): string {
  if (atMost === undefined && atLeast === undefined) return '';
  const reached = atMost === undefined ? value >= (atLeast ?? 0) : value <= atMost;
  const bound = atMost === undefined ? `>= ${inDigits(atLeast ?? 0)}` : `<= ${inDigits(atMost)}`;
  return `${`${bound} ${unit}`.trim()}: ${reached ? 'reached' : '**missed**'}`;
}

/** The load says how much of the machine was somebody else's. */
const machine = (): string =>
  `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)} at the end`;

/** @param share 0.5 for the median */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
