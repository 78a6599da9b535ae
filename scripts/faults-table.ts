/**
 * What the faults found, as a page: `faults-table.ts ROWS PAGE`. Prints it, too.
 * Fails when a row is red, and when there is none.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, release } from 'node:os';
import type { Row } from '../test/faults/fault.ts';

interface Listed {
  readonly what: string;
  /** What is tested by others. */
  readonly elsewhere?: string;
  readonly notRun?: string;
}

const list: Readonly<Record<number, Listed>> = {
  1: { what: 'kill -9' },
  2: { what: 'However processes hide', elsewhere: 'what grace each gets: `test/supervise/stop.test.ts`' },
  3: {
    what: 'Services that end or hang',
    elsewhere: 'the hang of each real service: `test/services/hang.test.ts`',
  },
  4: { what: 'Crash loops', elsewhere: 'stable time heals: `test/supervise/restart.test.ts`' },
  5: { what: 'A stop at any moment', elsewhere: 'in one process: `test/supervise/disposal.test.ts`' },
  6: {
    what: 'Output and disks',
    elsewhere: 'rotation: `test/supervise/log-file.test.ts`; readers that go: `test/journeys/door.test.ts`',
    notRun: 'a stale handle of NFS: there is no NFS here',
  },
  7: {
    what: 'A grandchild that holds stdout',
    elsewhere: 'the stdout of a channel: `test/supervise/channel.test.ts`',
  },
  8: {
    what: 'Numbers used again',
    elsewhere: 'marks of other jobs and nodes: `test/supervise/leftovers.test.ts`',
  },
  9: {
    what: 'What the system lacks',
    elsewhere: 'no nvidia-smi: every row of this page',
    notRun: 'a quota: full disks stand in for it',
  },
  10: {
    what: 'Ports',
    elsewhere: 'a port taken after the pick, a foreign server on our port: `test/services/ollama.test.ts`',
  },
  11: { what: 'Wall time', elsewhere: 'on a real Slurm: `test/journeys/wall-time.slow.test.ts`' },
  12: { what: "Slurm's signals", notRun: 'a jump of the clock: it is the clock of everyone here' },
  13: {
    what: "Slurm's commands",
    elsewhere: 'each way to fail, all formats of a time: `test/slurm/time.test.ts`',
  },
  14: {
    what: 'GPUs',
    elsewhere: 'what a fake can show: `test/services/ollama.test.ts`',
    notRun: 'memory of real GPUs: there are none here',
  },
  15: {
    what: 'Arrays',
    elsewhere:
      'two runs on one index: `test/store/together.test.ts`; tasks that share their work, one killed, one suspended: `test/journeys/share.test.ts`',
  },
  16: {
    what: 'Workers',
    elsewhere: "threads: `test/documents/pool.test.ts`; the store's process: `test/store/crash.test.ts`",
  },
  17: { what: 'Exit codes, and what restarts leave' },
  18: {
    what: 'The endpoint file',
    elsewhere: 'torn, foreign, deleted, taken over at once: `test/services/discovery.test.ts`',
  },
};

const columns = [
  ['guard', 'root'],
  ['guard', 'ordinary'],
  ['pidns', 'root'],
  ['pidns', 'ordinary'],
] as const;

const [rowsFile = '', page = ''] = process.argv.slice(2);
const rows = readFileSync(rowsFile, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Row);

const cellOf = ({ outcome, worstMs, medianMs, times }: Row): string => {
  if (outcome === 'not run') return 'not run';
  if (outcome === 'red') return '**red**';
  return `${outcome} ${times > 1 ? `${medianMs} / ` : ''}${worstMs}`;
};

function lineOf(same: readonly Row[]): string {
  const [first] = same;
  const cells = columns.map(([mode, user]) => same.find((row) => row.mode === mode && row.user === user));
  const notes = [...new Set(same.map(({ detail }) => detail).filter(Boolean))]
    .join('; ')
    .replaceAll(/\s+/g, ' ');
  const times = Math.max(...same.map((row) => row.times));
  const all = [
    first?.fault,
    first?.of,
    times,
    ...cells.map((row) => (row === undefined ? '' : cellOf(row))),
    notes,
  ];
  return `| ${all.join(' | ')} |`;
}

function sectionOf(number: number, { what, elsewhere, notRun }: Listed): string {
  const own = rows.filter((row) => row.list === number).toSorted((a, b) => b.of.localeCompare(a.of));
  const faults = Map.groupBy(own, ({ of, fault }) => `${of} ${fault}`);
  const head = `| fault | of | times | ${columns.map((names) => names.join(', ')).join(' | ')} | |\n|${'---|'.repeat(8)}`;
  return [
    `## ${number}. ${what}`,
    ...(own.length === 0 ? [] : [[head, ...[...faults.values()].map(lineOf)].join('\n')]),
    ...(elsewhere === undefined ? [] : [`Elsewhere: ${elsewhere}.`]),
    ...(notRun === undefined ? [] : [`Not run: ${notRun}.`]),
  ].join('\n\n');
}

const count = (outcome: Row['outcome']): number => rows.filter((row) => row.outcome === outcome).length;
const summary = `${rows.length} rows: ${count('red')} red, ${count('gap')} gaps, ${count('not run')} not run.`;
const machine = `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, Node ${process.versions.node}, ${availableParallelism()} cores, load ${loadavg()[1]?.toFixed(1)}, two faults at a time`;

const text = `# Faults

Written by \`npm run faults\`, never by hand: what was done to the program, what came of it, and after how many
milliseconds (the worst; \`median / worst\` where it was done more than once). ${summary}

- **guard**, **pidns**: the containment mode; **ordinary**: a user without any right. **tree**: the room \`supervise\` with tiny programs that
  behave badly; **program**: all of it, built, with a fake Ollama.
- **clean**: nothing of the run is left, guard included. **replaced**: what was lost stands again, and nothing of the old is left. **noticed**: an
  end is told as it was. **goes on**: no service was lost. **refused**: it ends with an error that says what is wrong. **degraded**: it goes on, and
  says what is missing. **gap**: something is left, as \`docs/operations.md\` says. **red**: a promise is broken.
- Kills must be clean or replaced after 1,000 ms.
- ${machine}.

${Object.entries(list)
  .map(([number, listed]) => sectionOf(Number(number), listed))
  .join('\n\n')}
`;
writeFileSync(page, text);
console.log(text);
process.exitCode = rows.length === 0 || count('red') > 0 ? 1 : 0;
