/** What the sidecar makes of real (tiny, random) models, beside plain calls of transformers, one input at a time. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { watchLeaks } from '../leaks.ts';
import {
  difference,
  oldTransformers,
  runPython,
  scripts,
  sidecarScript,
  startPython,
  vectorsOf,
  withoutTorch,
  type Frame,
  type Sidecar,
} from './sidecar.ts';

const leaks = watchLeaks();
const folder = mkdtempSync(join(tmpdir(), 'rag-sidecar-'));
const at = (name: string): string => join(folder, name);
const skip = withoutTorch;

const long = (words: number): string =>
  Array.from({ length: words }, (_, n) => `word${(n * 7919) % 101} of ${n}`).join(' ');
const cases = {
  rerank: [
    {
      query: 'What is the dose of metformin?',
      passages: [
        'Metformin is the first medicine for type 2 diabetes; its dose is 500 mg to 2,000 mg a day.',
        '',
        'Two\nlines\n\nand\ta tab.',
        'Äpfel, 二甲双胍, العربية and 💊 \u0000 end',
        long(400),
        'Trains leave at ten.',
        long(60),
        ' ',
      ],
    },
    { query: long(500), passages: ['short', long(300), ''] },
    { query: 'cut early', passages: [long(40), 'short'], max_length: 128 },
    { query: '', passages: ['a passage without a query'] },
  ],
  queries: ['dose of metformin', '', long(200), 'Größe 二\n'],
  passages: [
    { title: 'Metformin', text: 'Its dose is 500 mg.' },
    { title: '', text: 'A text without a title.' },
    { title: 'A title', text: '' },
    { title: 'Long', text: long(400) },
    { title: 'Ends so.', text: 'Äpfel\nand pears' },
  ],
};
interface Expected {
  readonly gemma: number[][];
  readonly qwen3: number[][];
  readonly 'xlm-roberta': number[][];
  readonly bert: number[][];
  readonly vectors: Readonly<Record<string, { query: number[][]; passage: number[][] }>>;
}
let expected: Expected;

const skip4 =
  skip === false && !existsSync(oldTransformers) ? 'no transformers 4: scripts/python-env.sh' : skip;

/** One process for all that can be asked of it: a start takes seconds. */
let sidecar: Sidecar;
/** What the next forwards of the decoder do wrong. */
const behave = (words: string): void => writeFileSync(at('strange'), words);
const encoders = ['medcpt', 'e5', 'contriever', 'specter'];
const encoderWords = [...encoders.map((name) => `${name}=${at('hub')}`), at('mean'), at('first')];

before(async () => {
  if (skip !== false) return;
  writeFileSync(at('cases.json'), JSON.stringify(cases));
  const made = await runPython([join(import.meta.dirname, 'tiny_models.py'), folder, at('cases.json')]);
  assert.equal(made.status, 0, made.stderr);
  expected = JSON.parse(readFileSync(at('expected.json'), 'utf8')) as Expected;
  behave('');
  const words = [
    '--allow-cpu',
    '--batch-size',
    '3',
    '--rerank',
    at('gemma'),
    '--encode',
    encoderWords.join(),
  ];
  sidecar = startPython([join(import.meta.dirname, 'strange_sidecar.py'), sidecarScript, ...words], {
    STRANGE: at('strange'),
  });
});
after(async () => {
  await sidecar?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  await leaks.assertNone();
});

const answerOf = async (request: Frame): Promise<Frame> => {
  const answer = await sidecar.ask(request);
  assert.equal(answer['error'], undefined, JSON.stringify(answer));
  return answer;
};
const codeOf = (frame: Frame): unknown => (frame['error'] as Frame | undefined)?.['code'];

test('a decoder scores as FlagLLMReranker does, whatever the batches', { skip }, async () => {
  const first = await sidecar.first;
  assert.equal(first['ready'], true, JSON.stringify(first));
  assert.deepEqual(
    { ...(first['rerank'] as Frame), digest: '' },
    { kind: 'llm', model: 'gemma', digest: '', max_length: 512 },
  );
  assert.deepEqual([first['dtype'], first['device']], ['float32', 'cpu']);
  const answers = await Promise.all(cases.rerank.map((one, id) => answerOf({ id, op: 'rerank', ...one })));
  const scores = answers.map((answer) => answer['scores'] as number[]);
  assert.ok(difference(scores, expected.gemma) < 1e-5, JSON.stringify([scores, expected.gemma]));
  assert.equal(answers[0]?.['batch_size'], 3);
  const spread = expected.gemma[0] ?? [];
  assert.ok(Math.max(...spread) - Math.min(...spread) > 0.01, 'the model tells the passages apart');
});

test('no passages have no scores, and half a surrogate pair has one', { skip }, async () => {
  const none = await answerOf({ id: 1, op: 'rerank', query: 'q', passages: [] });
  assert.deepEqual(none['scores'], []);
  const half = await answerOf({ id: 2, op: 'rerank', query: '\ud800', passages: ['\udc00 half'] });
  assert.equal((half['scores'] as number[]).length, 1);
});

test('a request that is none says what is wrong with it', { skip }, async () => {
  const wrong: [Frame, RegExp][] = [
    [{ op: 'rerank', query: 1, passages: [] }, /a text is a string/],
    [{ op: 'rerank', query: 'q', passages: 'p' }, /passages is a list/],
    [{ op: 'rerank', query: 'q', passages: ['p'], max_length: 1 }, /max_length/],
    [{ op: 'encode', encoder: 'bert', texts: [], kind: 'query' }, /medcpt, e5, contriever, specter/],
    [{ op: 'encode', encoder: 'e5', texts: [], kind: 'title' }, /query or passage/],
    [{ op: 'encode', encoder: 'e5', texts: [{ title: 't' }], kind: 'passage' }, /a text is a string/],
  ];
  for (const [id, [request, what]] of wrong.entries()) {
    const answer = await sidecar.ask({ id, ...request });
    assert.equal(codeOf(answer), 'bad-request', JSON.stringify(answer));
    assert.match(String((answer['error'] as Frame)['message']), what);
  }
});

test('every encoder makes its vectors as the model was trained', { skip }, async () => {
  const described = (await sidecar.first)['encode'] as Frame[];
  assert.deepEqual(
    described.map(({ name, metric, dimensions, max_length: length }) => [name, metric, dimensions, length]),
    [
      ['medcpt', 'dot', 64, 512],
      ['e5', 'cosine', 64, 512],
      ['contriever', 'dot', 64, 512],
      ['specter', 'l2', 64, 512],
      [at('mean'), 'cosine', 64, 512],
      [at('first'), 'cosine', 64, 32],
    ],
  );
  assert.equal(new Set(described.map(({ digest }) => digest)).size, 6, 'each has a digest of its own');
  for (const [name, want] of Object.entries(expected.vectors))
    for (const kind of ['query', 'passage'] as const) {
      const encoder = encoders.includes(name) ? name : at(name);
      const texts = kind === 'query' ? cases.queries : cases.passages;
      const answer = await answerOf({ id: 1, op: 'encode', encoder, texts, kind });
      const apart = difference(vectorsOf(answer['vectors'], 64), want[kind]);
      assert.ok(apart < 1e-4, `${name}, ${kind}: ${apart}`);
    }
});

test('a passage that is a string has no title; no texts have no vectors', { skip }, async () => {
  const request = { id: 1, op: 'encode', encoder: 'medcpt', kind: 'passage' };
  const bare = await answerOf({ ...request, texts: ['x'] });
  assert.equal(
    bare['vectors'],
    (await answerOf({ ...request, texts: [{ title: '', text: 'x' }] }))['vectors'],
  );
  assert.equal((await answerOf({ ...request, texts: [] }))['vectors'], '');
});

test('what does not fit into the memory goes in halves, and that is remembered', { skip }, async () => {
  behave('tokens:700 prints');
  const before = Number((await sidecar.ask({ id: 1, op: 'stats' }))['pairs']);
  const { scores } = await answerOf({ id: 1, op: 'rerank', ...cases.rerank[0] });
  assert.ok(difference([scores as number[]], expected.gemma.slice(0, 1)) < 1e-5, sidecar.stderr());
  const failures = (): number => sidecar.stderr().match(/forward of .* fails/g)?.length ?? 0;
  const tried = failures();
  assert.ok(tried > 0, 'it did not fit at first');
  await answerOf({ id: 2, op: 'rerank', ...cases.rerank[0] });
  assert.equal(failures(), tried, 'the second time nothing is tried that did not fit');
  const stats = await sidecar.ask({ id: 3, op: 'stats' });
  assert.equal(Number(stats['pairs']) - before, 16);
  assert.ok(Number(stats['batch_size']) < 3 && Number(stats['pairs_per_s']) > 0, JSON.stringify(stats));
  // Every forward printed a frame for id 1 and a line that is none: neither was taken for one.
  assert.match(sidecar.stderr(), /a line of a library in C/);
});

test('one pair that does not fit is an error of that request alone', { skip }, async () => {
  behave('tokens:300');
  const refused = await sidecar.ask({ id: 1, op: 'rerank', query: 'q', passages: ['short', long(300)] });
  assert.equal(codeOf(refused), 'out-of-memory');
  const fits = await answerOf({ id: 2, op: 'rerank', query: 'q', passages: ['short', 'shorter'] });
  assert.equal((fits['scores'] as number[]).length, 2);
});

test('a score that is not a number is refused', { skip }, async () => {
  behave('infinite');
  assert.deepEqual((await sidecar.ask({ id: 1, op: 'rerank', query: 'q', passages: ['p'] }))['error'], {
    code: 'failed',
    message: 'the model answered with numbers that are not finite; try --fp16 0',
  });
});

test('stats are answered in the middle of a forward, and the end of stdin ends it', { skip }, async () => {
  behave('sleeps');
  sidecar.write('{"id":1,"op":"rerank","query":"q","passages":["p"]}\n');
  await sidecar.said('a forward begins');
  assert.ok(Number((await sidecar.ask({ id: 3, op: 'stats' }))['memory_bytes']) > 1e6);
  sidecar.child.stdin?.end();
  assert.equal(await sidecar.ended, 0);
});

interface Found {
  readonly kind: string;
  readonly digest: string;
  readonly scores: number[][];
  readonly vectors: number[][];
}

/** What the sidecar's code makes of the cases, several models in one process. */
async function scored(env: Readonly<Record<string, string>>): Promise<Record<string, Found>> {
  const decoders = ['parity', 'half', 'half-parity'].map((how) => `${how}=${at('gemma')}`);
  const words = [...decoders, `encode=medcpt=${at('hub')}`, `encode=${at('first')}`];
  const folders = ['gemma', 'xlm-roberta', 'bert', 'qwen3'].map((name) => `rerank=${at(name)}`);
  const program = join(import.meta.dirname, 'score.py');
  const { status, stdout, stderr } = await runPython(
    [program, scripts, at('cases.json'), ...words, ...folders],
    env,
  );
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Record<string, Found>;
}

function assertAsExpected(found: Record<string, Found>): void {
  const kinds = { gemma: 'llm', 'xlm-roberta': 'encoder', bert: 'encoder', qwen3: 'qwen3' } as const;
  for (const [name, kind] of Object.entries(kinds) as ['gemma', 'llm'][]) {
    const { scores = [], kind: told } = found[`rerank=${at(name)}`] ?? {};
    assert.equal(told, kind);
    assert.ok(difference(scores, expected[name]) < 1e-5, `${name}: ${JSON.stringify(scores)}`);
  }
  const parity = found[`parity=${at('gemma')}`]?.scores ?? [];
  assert.ok(difference(parity, expected.gemma) < 1e-5, 'with --parity, padded on the right');
  for (const how of ['half', 'half-parity']) {
    const apart = difference(found[`${how}=${at('gemma')}`]?.scores ?? [], expected.gemma);
    assert.ok(apart > 1e-5 && apart < 0.02, `${how}: ${apart}`);
  }
  for (const [word, name] of Object.entries({ [`medcpt=${at('hub')}`]: 'medcpt', [at('first')]: 'first' })) {
    const vectors = found[`encode=${word}`]?.vectors ?? [];
    assert.ok(difference(vectors, expected.vectors[name]?.passage ?? []) < 1e-4, name);
  }
}

test('decoder, encoder and Qwen3-Reranker score as their authors do', { skip }, async () => {
  assertAsExpected(await scored({}));
});

test('transformers 4 makes the same scores and vectors', { skip: skip4 }, async () => {
  const found = await scored({ PYTHONPATH: oldTransformers });
  assert.match(JSON.stringify(found['transformers']), /^"4\./);
  assertAsExpected(found);
});
