import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nearest, parseCommandLine } from '../../src/config/flags.ts';

const specs = { json: { kind: 'switch', meaning: '' }, query: { kind: 'value', meaning: '' } } as const;
const parse = (...words: string[]) => parseCommandLine(words, specs);

test('parseCommandLine() tells settings, own flags, positionals and the workload apart', () => {
  const line = parse(
    'a.pdf',
    '--json',
    '--query',
    'why?',
    '--topk=3',
    '--allow-cpu',
    'b.pdf',
    '--',
    'python',
    '--topk',
    '9',
  );
  assert.deepEqual(line.positionals, ['a.pdf', 'b.pdf']);
  assert.ok(line.switches.has('json'));
  assert.deepEqual({ ...line.values }, { query: 'why?' });
  assert.deepEqual({ ...line.settings }, { RAG_TOPK: '3', RAG_ALLOW_CPU: '1' });
  assert.deepEqual(line.workload, ['python', '--topk', '9']);
});

test("parseCommandLine() keeps the worker script's flags and collects repeated inputs", () => {
  const line = parse('--mode', 'ingest', '--input-file', 'x', '--input-file', 'y z', '--working-dir', 'd');
  assert.deepEqual(
    { ...line.settings },
    { RAG_WORKER_MODE: 'ingest', RAG_INPUT_FILE: 'x\ny z', RAG_WORKING_DIR: 'd' },
  );
});

test('parseCommandLine() joins what is given of a flag that may be given several times', () => {
  const line = parseCommandLine(['--filter', 'page=3', '--filter=year=2020'], {
    filter: { kind: 'values', meaning: '' },
  });
  assert.deepEqual({ ...line.values }, { filter: 'page=3\nyear=2020' });
});

test('parseCommandLine() names the nearest flag for an unknown one', () => {
  assert.throws(
    () => parse('--inputfile', 'x'),
    (error: Error & { hint?: string }) => {
      assert.match(error.message, /--inputfile/);
      assert.match(String(error.hint), /--input-file/);
      return true;
    },
  );
});

test('parseCommandLine() wants a value where one belongs', () => {
  assert.throws(() => parse('--topk'), /a value is wanted/);
  assert.throws(() => parse('--query', '--json'), /--query: it stands alone/);
  assert.equal(parse('--query=--json').values['query'], '--json');
});

test('nearest() keeps quiet when nothing is near', () => {
  assert.equal(nearest('xyzzyplugh', ['run', 'plan']), undefined);
});
