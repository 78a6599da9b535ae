import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Conversion } from '../../../src/documents/outside.ts';
import {
  makeLanes,
  openOutsideParser,
  type OpenOutsideParser,
  type OutsideParserOptions,
} from '../../../src/job/services/outside-parser.ts';
import { processesMarked } from '../../../src/machine/processes.ts';
import { probeContainment, withoutNamespaces } from '../../../src/supervise/containment.ts';
import { watchLeaks } from '../../leaks.ts';
import { until } from '../../until.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const path = '/usr/bin:/bin';
const never = new AbortController().signal;
const mark = `RAG_SUPERVISOR_ID=outside-parser.${process.pid}`;
const marked = (): number => processesMarked(mark).length;
const isUp = (folder: string): boolean => {
  const log = join(folder, 'logs/parser.log');
  return existsSync(log) && readFileSync(log, 'utf8') === 'up\n';
};
const [markName = '', markValue = ''] = mark.split('=');
const namespaces = await probeContainment({ wanted: 'auto', path });
const modes = [withoutNamespaces(path), ...(namespaces.mode === 'pidns' ? [namespaces] : [])];

interface World {
  readonly parser: OpenOutsideParser;
  readonly folder: string;
  readonly convert: (signal?: AbortSignal) => Promise<Conversion>;
  readonly output: string;
}

async function withParser(
  how: string,
  changes: Partial<OutsideParserOptions>,
  use: (world: World) => Promise<void>,
): Promise<void> {
  await using made = await mkdtempDisposable(join(tmpdir(), 'parser-'));
  const folder = made.path;
  const [logs, scratch, input, output] = ['logs', 'scratch', 'document.pdf', 'output'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  for (const each of [scratch, output]) await mkdir(each);
  await writeFile(input, '%PDF-');
  const program = join(import.meta.dirname, '../../fixtures/children/reads-documents.sh');
  await using parser = openOutsideParser({
    program: { name: 'fake-1.0', command: (from, to) => [program, how, from, to] },
    gpus: [],
    cpus: 2,
    baseEnv: { PATH: path, [markName]: markValue, MEETING: folder },
    folders: { logs, scratch },
    containment: withoutNamespaces(path),
    log: { file: () => undefined },
    ...changes,
  });
  await use({
    parser,
    folder,
    output,
    convert: (signal = never) => parser.convert(input, output, signal),
  });
  assert.deepEqual(await readdir(scratch), [], 'its temporary files are gone');
  assert.equal(marked(), 0, 'no process of it is left');
}

for (const containment of modes) {
  const withHow = (
    how: string,
    use: (world: World) => Promise<void>,
    changes: Partial<OutsideParserOptions> = {},
  ): Promise<void> => withParser(how, { containment, ...changes }, use);
  const named = (what: string): string => `${containment.mode}: ${what}`;

  test(named('a document is read by a process that sees no GPU'), () =>
    withHow('reads', async ({ convert, output }) => {
      assert.deepEqual(await convert(), { outcome: 'done' });
      const list = await readFile(join(output, 'a/auto/a_content_list.json'), 'utf8');
      assert.match(list, /"document\.pdf of 5 bytes, GPU -1, 2 threads"/);
    }),
  );

  test(named('one that fails is told by its last words'), () =>
    withHow('fails', async ({ convert }) => {
      const reason = 'fake-1.0 exited with code 3: 99% no model for this page';
      assert.deepEqual(await convert(), { outcome: 'failed', reason });
    }),
  );

  test(named('a document of which nothing was written has failed, whatever the exit code says'), () =>
    withHow('writes-nothing', async ({ convert }) => {
      const reason = 'fake-1.0 exited with code 0: skipped: it is odd, and wrote nothing';
      assert.deepEqual(await convert(), { outcome: 'failed', reason });
    }),
  );

  test(named('one that hangs and is deaf to TERM is ended when its time is over'), () =>
    withHow(
      'hangs',
      async ({ convert }) => {
        const conversion = await convert();
        assert.ok(conversion.outcome === 'timed-out');
        assert.match(conversion.reason, /^fake-1\.0 took longer than 0\.4 s/);
        assert.equal(marked(), 0);
      },
      { timeLimitMs: () => 400 },
    ),
  );

  test(named('what it leaves behind is gone when the document is read'), () =>
    withHow('leaves', async ({ convert }) => {
      assert.deepEqual(await convert(), { outcome: 'done' });
      assert.equal(marked(), 0);
    }),
  );

  test(named('stopping ends it, with all that it has started, and those that wait for it never start'), () =>
    withHow('hangs', async ({ convert, folder }) => {
      const stop = new AbortController();
      const both = [convert(stop.signal), convert(stop.signal)];
      const log = join(folder, 'logs/parser.log');
      await until(() => isUp(folder), 'it runs');
      stop.abort();
      assert.deepEqual(
        (await Promise.all(both)).map(({ outcome }) => outcome),
        ['aborted', 'aborted'],
      );
      assert.equal(marked(), 0);
      assert.equal(await readFile(log, 'utf8'), 'up\n');
      assert.equal((await convert(AbortSignal.abort())).outcome, 'aborted');
      assert.equal(await readFile(log, 'utf8'), 'up\n', 'none was started again');
    }),
  );
}

test('closing it ends what runs, and returns when that is gone', async () => {
  await withParser('hangs', {}, async ({ parser, convert, folder }) => {
    const conversion = convert();
    await until(() => isUp(folder), 'it runs');
    await parser[Symbol.asyncDispose]();
    assert.equal(marked(), 0);
    assert.equal((await conversion).outcome, 'aborted');
  });
});

test('one that floods its log fills neither the disk nor a reason', async () => {
  await withParser('floods', {}, async ({ convert, folder }) => {
    const conversion = await convert();
    assert.ok(conversion.outcome === 'failed');
    assert.match(conversion.reason, /^fake-1\.0 exited with code 1: x{300}$/);
    assert.ok((await stat(join(folder, 'logs/parser.log'))).size <= 64 * 1024 ** 2);
  });
});

test('a program that is gone is a failure of the document', async () => {
  const program = { name: 'gone', command: () => ['/nowhere/parser'] as const } as const;
  await withParser(
    '',
    { program: { ...program, command: () => ['/nowhere/parser'] } },
    async ({ convert }) => {
      const conversion = await convert();
      assert.ok(conversion.outcome === 'failed');
      assert.match(conversion.reason, /^gone (?:exited with code 12\d|could not be started).*parser/);
    },
  );
});

test('each GPU of its slice has one document at a time, and sees no other', async () => {
  await withParser('takes-turns', { gpus: ['GPU-a', 'MIG-b'] }, async ({ parser, folder }) => {
    const input = join(folder, 'document.pdf');
    const conversions = Array.from({ length: 5 }, async (_, n) => {
      const output = join(folder, `output-${n}`);
      await mkdir(output);
      return parser.convert(input, output, never);
    });
    assert.deepEqual(
      (await Promise.all(conversions)).filter(({ outcome }) => outcome !== 'done'),
      [],
    );
    const seen = (await readFile(join(folder, 'log'), 'utf8')).trim().split('\n');
    assert.deepEqual(new Set(seen), new Set(['GPU-a', 'MIG-b']));
  });
});

test('on the CPU there is a process for every four cores, and threads are as many unless the user says', () => {
  const folders = { logs: '/logs', scratch: '/scratch' };
  const lanesOf = (cpus: number, gpus: string[] = []) => makeLanes({ cpus, gpus, baseEnv: {}, folders });
  assert.deepEqual(
    [1, 7, 8, 64].map((cpus) => lanesOf(cpus).length),
    [1, 1, 2, 8],
  );
  assert.equal(lanesOf(64, ['0']).length, 1);
  assert.equal(lanesOf(2)[0]?.env['OMP_NUM_THREADS'], '2');
  const [lane] = makeLanes({ cpus: 16, gpus: [], baseEnv: { OMP_NUM_THREADS: '1' }, folders });
  assert.equal(lane?.env['OMP_NUM_THREADS'], '1');
});
