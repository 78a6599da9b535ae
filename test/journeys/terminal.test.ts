/** The program as somebody sees it who sits before a terminal, and as a file gets it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { noTerminal, startOnTerminal, type TerminalOptions } from '../terminal.ts';
import { checkout, runProgram, startProgram, until } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-terminal-'));
after(() => rmSync(folder, { recursive: true }));

const documents = join(folder, 'documents');
mkdirSync(documents);
const words = (from: number): string => Array.from({ length: 100 }, (_, at) => `word${from}x${at}`).join(' ');
for (let at = 0; at < 40; at += 1)
  writeFileSync(join(documents, `${at}.md`), `# Document ${at}\n\n${words(at)}\n`);
// Set aside: its name would move the cursor, and turn the text round.
writeFileSync(join(documents, 'evil\u001B[2J\u202E.md'), '');

const escape = '\u001B';
const base = { RAG_ENGINE: 'embedded', RAG_CHUNK_TOKENS: '32', RAG_CHUNK_OVERLAP: '4' };
const door = join(checkout, 'dist/supervisor.js');
const onTerminal = (command: readonly string[], options: Partial<TerminalOptions> = {}) =>
  startOnTerminal([process.execPath, door, ...command], {
    columns: 80,
    rows: 24,
    cwd: folder,
    ...options,
    env: { ...base, HOME: folder, ...options.env },
  });

test(
  'an ingest on a terminal: a bar in one line, the log above it, nothing lost and nothing drawn twice',
  { skip: noTerminal },
  async () => {
    for (const columns of [80, 40]) {
      const env = { RAG_SHARED_ROOT: join(folder, `shared-${columns}`) };
      await using terminal = onTerminal(['run', '--mode', 'ingest', '--input-file', 'documents'], {
        columns,
        rows: 60,
        env,
      });
      assert.equal(await terminal.ended, 0, terminal.raw());
      const lines = await terminal.lines();
      const bars = lines.filter((line) => /^\[#+\] 100 % 4[01] of 41 documents/.test(line));
      assert.equal(bars.length, 1, lines.join('\n'));
      assert.ok((bars[0]?.length ?? 0) < columns);
      const text = lines.join('');
      for (const told of [
        'is ready',
        'ingest begins',
        'set aside: evil[2J.md: empty',
        'ingest done: 40 processed',
        'ended with 0',
      ])
        assert.ok(text.replaceAll(/\s+/g, ' ').includes(told), `${told}:\n${lines.join('\n')}`);
      assert.equal(lines.filter((line) => line.includes('ingest done')).length, 1);
      // Drawn from the first column on and cleared behind: never a line that is empty in between.
      // oxlint-disable-next-line no-control-regex -- escape sequences are what this is about
      assert.doesNotMatch(terminal.raw(), /\u001B\[2K\r?\[#/);
    }
  },
);

test('a bar follows the terminal when that becomes narrower', { skip: noTerminal }, async () => {
  const env = { RAG_SHARED_ROOT: join(folder, 'resized'), RAG_WATCH_SECONDS: '0' };
  await using terminal = onTerminal(['run', '--mode', 'ingest', '--input-file', 'documents'], {
    rows: 60,
    env,
  });
  await terminal.until('a bar', (lines) => lines.some((line) => / of 41 documents/.test(line)));
  terminal.resize(40, 60);
  assert.equal(await terminal.ended, 0);
  const lines = await terminal.lines();
  const last = lines.findLast((line) => / of 41 documents/.test(line)) ?? '';
  assert.ok(last.length < 40 && / 4[01] of 41 documents/.test(last), lines.join('\n'));
});

test('where no cursor can be moved there are lines instead of a bar', { skip: noTerminal }, async () => {
  await using terminal = onTerminal(['ingest', '--here', 'documents'], {
    env: { TERM: 'dumb', RAG_SHARED_ROOT: join(folder, 'dumb') },
  });
  assert.equal(await terminal.ended, 0);
  assert.ok(!terminal.raw().includes(escape));
});

const colours: [string, Record<string, string>, boolean][] = [
  ['a terminal has colours', {}, true],
  ['NO_COLOR takes them away', { NO_COLOR: '1' }, false],
  ['an empty NO_COLOR does not', { NO_COLOR: '' }, true],
  ['TERM=dumb has none', { TERM: 'dumb' }, false],
  ['FORCE_COLOR=0 takes them away', { FORCE_COLOR: '0' }, false],
];
for (const [what, env, isColoured] of colours)
  test(`${what}, for results and for errors`, { skip: noTerminal }, async () => {
    for (const command of [['help'], ['run', '--no-such-flag']]) {
      await using terminal = onTerminal(command, { env });
      await terminal.ended;
      assert.equal(terminal.raw().includes(escape), isColoured, terminal.raw());
    }
  });

test('a file gets no colours, unless FORCE_COLOR asks for them', async () => {
  const plain = await runProgram(['config'], { env: base, cwd: folder });
  assert.ok(!plain.stdout.includes(escape));
  const forced = await runProgram(['help'], { env: { ...base, FORCE_COLOR: '1' }, cwd: folder });
  assert.ok(forced.stdout.includes(`${escape}[1mVerbs:`));
  const json = await runProgram(['config', '--json'], { env: { ...base, FORCE_COLOR: '1' }, cwd: folder });
  assert.ok(Array.isArray(JSON.parse(json.stdout)));
});

interface Serving {
  readonly env: Record<string, string>;
  stop(): Promise<unknown>;
}

async function serve(name: string): Promise<Serving> {
  const env = {
    ...base,
    RAG_SHARED_ROOT: join(folder, name),
    LOG_ROOT: join(folder, 'logs'),
    RAG_WATCH_SECONDS: '0',
  };
  const program = startProgram(['run', '--mode', 'serve', '--input-file', documents], { env, cwd: folder });
  await until('the endpoint file', 60_000, () =>
    existsSync(join(folder, name, 'runtime/ollama_service.json')) ? true : undefined,
  );
  return {
    env,
    stop: async () => {
      await runProgram(['stop'], { env, cwd: folder });
      return program.ended;
    },
  };
}

test(
  'status --watch on a terminal is drawn in place, ends with the job, and leaves the last state once',
  { skip: noTerminal },
  async () => {
    const service = await serve('watched');
    try {
      await using terminal = onTerminal(['status', '--watch'], { env: service.env, rows: 30 });
      await terminal.until('the services', (lines) =>
        lines.some((line) => /^embedded-embed +ready/.test(line)),
      );
      await terminal.until('the end of the ingest', (lines) => lines.includes('phase        answering'));
      const drawn = await terminal.lines();
      assert.equal(drawn.filter((line) => line.startsWith('job ')).length, 1, 'in place');
      assert.match(drawn[0] ?? '', /^local-\d+\.\S+ {2}\d\d:\d\d:\d\d .*Ctrl-C ends the watch, not the job$/);
      terminal.resize(60, 12);
      await terminal.until('a small screen', (lines) => /^\.\.\. \d+ more lines/.test(lines.at(-1) ?? ''));
      await service.stop();
      assert.equal(await terminal.ended, 0);
      const left = await terminal.lines();
      assert.equal(left.filter((line) => line.startsWith('phase ')).length, 1, left.join('\n'));
      assert.ok(left.includes('ended        with 0: done (SIGTERM)'), left.join('\n'));
      assert.ok(terminal.raw().endsWith('\n'), 'a prompt begins on a line of its own');
      // oxlint-disable-next-line no-control-regex -- escape sequences are what this is about
      assert.match(terminal.raw(), /\u001B\[\?1049l(?:(?!\u001B\[\?1049h).)*$/s, 'the other screen is left');
    } finally {
      await service.stop();
    }
  },
);

test('Ctrl-C ends the watch and not the job; a file gets a block per change, a program a line', async () => {
  const service = await serve('blocks');
  try {
    if (noTerminal === false) {
      await using terminal = onTerminal(['status', '--watch'], { env: service.env });
      await terminal.until('the services', (lines) =>
        lines.some((line) => line.startsWith('embedded-embed')),
      );
      terminal.type('^C');
      assert.equal(await terminal.ended, 0);
      assert.ok((await terminal.lines()).some((line) => line.startsWith('phase ')));
    }
    const watches = [
      startProgram(['status', '--watch'], { env: service.env, cwd: folder }),
      startProgram(['status', '--watch', '--json'], { env: service.env, cwd: folder }),
    ];
    const [text, json] = watches.map(({ ended }) => ended);
    // Each has looked at least once before the job ends.
    await until('two looks', 20_000, async () => {
      const { stdout } = await runProgram(['status', '--json'], { env: service.env, cwd: folder });
      return (JSON.parse(stdout) as { phase: string }).phase === 'answering' ? true : undefined;
    });
    await service.stop();
    const blocks = await text;
    assert.equal(blocks?.code, 0, blocks?.stderr);
    assert.ok(!(blocks?.stdout ?? escape).includes(escape));
    const count = blocks?.stdout.match(/^phase /gm)?.length ?? 0;
    assert.ok(count >= 1 && count < 15, `${count} blocks:\n${blocks?.stdout}`);
    assert.match(blocks?.stdout ?? '', /^ended {8}with 0: done \(SIGTERM\)$/m);
    const lines = ((await json)?.stdout ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { phase: string });
    assert.equal(lines.at(-1)?.phase, 'ended');
    // Of what has ended already there is one block.
    const again = await runProgram(['status', '--watch'], { env: service.env, cwd: folder });
    assert.equal(again.stdout.match(/^phase /gm)?.length, 1);
  } finally {
    await service.stop();
  }
});

test('a watch of a job that nobody knows says so at once', async () => {
  const { code, stderr } = await runProgram(['status', '4711', '--watch'], {
    env: { ...base, RAG_SHARED_ROOT: folder, PATH: '/usr/bin:/bin' },
    cwd: folder,
  });
  assert.equal(code, 65, stderr);
  assert.match(stderr, /Cannot find job 4711/);
});
