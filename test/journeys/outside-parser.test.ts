/** RAG_PARSER, from a folder of PDFs and pictures to a hit with its page. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pdfOf } from '../fixtures/documents/pdf.ts';
import { processesMarked, runProgram, startProgram, until, untilGone, type Ended } from './program.ts';

const fakes = join(import.meta.dirname, '../fixtures/children');
const env = {
  PATH: `${fakes}${delimiter}${process.env['PATH']}`,
  RAG_ENGINE: 'embedded',
  RAG_PARSER: 'docling',
  RAG_MAX_FAILED: '9',
};
const picture = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-outside-'));
  await mkdir(join(folder, 'in'));
  const files = {
    'named-wrong.txt': pdfOf(['Own text.']),
    '-p odd\nname.png': picture,
    'odd.pdf': pdfOf(['fails']),
    'note.md': 'Read by our own.',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, 'in', name), content);
});
after(() => rm(folder, { recursive: true }));

const run = (words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runProgram(words, { cwd: folder, env: { ...env, ...more } });

interface Summary {
  readonly documents: { readonly processed: number; readonly unchanged: number; readonly failed: number };
  readonly failures: readonly { readonly document: string; readonly reason: string }[];
}
interface Hits {
  readonly result: readonly (readonly {
    readonly document: { readonly contents: string; readonly page: number };
  }[])[];
}

test('what it reads is found with its page; what it cannot read is set aside with its last words', async () => {
  const ended = await run(['ingest', '--here', 'in', '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  const { documents, failures } = JSON.parse(ended.stdout) as Summary;
  assert.deepEqual([documents.processed, documents.failed], [3, 1]);
  assert.deepEqual(failures, [
    {
      document: 'odd.pdf',
      state: 'failed',
      reason: 'RAG_PARSER: docling-2.143 exited with code 1: ConversionError: the page is too odd',
    },
  ]);
  const found = await run(['retrieve', '--here', 'recognised heliograph', '--topk', '9', '--json']);
  assert.equal(found.code, 0, found.stderr);
  const hits =
    (JSON.parse(found.stdout) as Hits).result[0]?.filter(({ document }) => document.page === 4) ?? [];
  const texts = hits.map(({ document }) => /Recognised was (\w+)/.exec(document.contents)?.[1]);
  assert.deepEqual(new Set(texts), new Set(['pdf', 'png']));
});

test('an index that it has filled takes no chunks of other readers, and says whose it is', async () => {
  const other = await run(['ingest', '--here', 'in'], { RAG_PARSER: '' });
  assert.equal(other.code, 78, other.stderr);
  assert.match(other.stderr, /\+docling-2\.143.*chunker differs[^]*set .*RAG_PARSER/);
  const again = await run(['ingest', '--here', 'in', '--json']);
  assert.equal((JSON.parse(again.stdout) as Summary).documents.unchanged, 3);
});

test('a parser that is not there is said before anything starts, to those who ingest', async () => {
  const missing = await run(['ingest', '--here', 'in'], { RAG_PARSER: 'mineru' });
  assert.equal(missing.code, 78, missing.stderr);
  assert.match(missing.stderr, /no such program[^]*pip install "mineru/);
  assert.doesNotMatch(missing.stderr, /is ready/);
  const found = await run(['retrieve', '--here', 'heliograph'], { RAG_PARSER: 'mineru' });
  assert.equal(found.code, 0, found.stderr);
  const wrong = await run(['ingest', '--here', 'in'], { RAG_PARSER: 'my-parser {input}' });
  assert.equal(wrong.code, 78);
  assert.match(
    wrong.stderr,
    /RAG_PARSER.*neither mineru nor docling nor a command with \{input\} and \{output\}/,
  );
});

const ends = [
  ['SIGTERM', 'auto'],
  ['SIGKILL', 'auto'],
  ['SIGKILL', 'guard'],
] as const;
for (const [signal, containment] of ends)
  test(`${signal} while it hangs leaves no process of it (containment: ${containment})`, async () => {
    await using hanging = await hang(`${signal}-${containment}`, containment);
    process.kill(hanging.pid, signal);
    const { code } = await hanging.ended;
    assert.equal(code, signal === 'SIGTERM' ? 75 : null);
    await untilGone('RAG_OUTSIDE_TEST', hanging.mark, signal === 'SIGTERM' ? 0 : 2_000);
  });

/** A run that waits for a parser that hangs and is deaf to TERM. */
async function hang(name: string, containment: string) {
  const mark = `${process.pid}.${name}`;
  const own = join(folder, name);
  await mkdir(own);
  await writeFile(join(own, 'hangs.pdf'), pdfOf(['hangs']));
  const program = startProgram(['ingest', '--here', 'hangs.pdf'], {
    cwd: own,
    env: { ...env, RAG_CONTAINMENT: containment, RAG_OUTSIDE_TEST: mark },
  });
  await until('the parser', 30_000, () =>
    processesMarked('RAG_OUTSIDE_TEST', mark).filter(({ command }) => command === 'sleep 600').length === 2
      ? true
      : undefined,
  );
  return {
    ...program,
    mark,
    async [Symbol.asyncDispose]() {
      for (const { pid } of processesMarked('RAG_OUTSIDE_TEST', mark)) process.kill(pid, 'SIGKILL');
    },
  };
}
