import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerParts } from '../../src/page/answer.ts';
import { type Asking, type AskingEvent, nextAsking } from '../../src/page/asking.ts';
import { type Connection, nextConnection } from '../../src/page/connection.ts';

const after = (...events: AskingEvent[]): Asking => events.reduce<Asking>(nextAsking, { state: 'empty' });
const asked: AskingEvent = { event: 'asked', question: 'why?' };
const line = (value: unknown): AskingEvent => ({ event: 'line', line: value });
const record = { answer: 'So [1].', citations: [], sentences: [], timings_ms: {} };

test('an answer grows piece by piece and ends with its record', () => {
  const growing = after(
    asked,
    line({ references: [{}, {}] }),
    line({ response: 'So ' }),
    line({ response: '[1].' }),
  );
  assert.deepEqual(growing, { state: 'answering', question: 'why?', passages: 2, text: 'So [1].' });
  assert.deepEqual(nextAsking(growing, line({ record })), { state: 'answered', question: 'why?', record });
});

test('what went wrong is told by its kind: later, too many, refused, broken off', () => {
  const body = { error: { code: 'x', message: 'Cannot', hint: 'do' } };
  const kindOf = (asking: Asking): unknown[] =>
    asking.state === 'failed'
      ? [asking.problem.kind, asking.problem.message, asking.problem.hint, asking.problem.seconds]
      : [];
  const refused = (status: number, seconds: number | null): AskingEvent => ({
    event: 'refused',
    status,
    body,
    seconds,
  });
  assert.deepEqual(kindOf(after(asked, refused(503, 40))), ['postponed', 'Cannot', 'do', 40]);
  assert.deepEqual(kindOf(after(asked, refused(429, null))), ['busy', 'Cannot', 'do', null]);
  assert.deepEqual(kindOf(after(asked, refused(503, null))), ['refused', 'Cannot', 'do', null]);
  assert.deepEqual(kindOf(after(asked, { event: 'refused', status: 502, body: null, seconds: null })), [
    'refused',
    'The endpoint answered with status 502.',
    null,
    null,
  ]);
  const broken = after(asked, line({ response: 'It is' }), { event: 'lost' });
  assert.deepEqual([broken.state, broken.state === 'failed' && broken.text], ['failed', 'It is']);
  assert.equal(kindOf(broken)[0], 'lost');
  assert.deepEqual(kindOf(after(asked, line(body)))[0], 'refused');
});

test('what comes after the end changes nothing, and nonsense never does', () => {
  const done = after(asked, line({ record }));
  for (const event of [{ event: 'lost' }, { event: 'stopped' }, line({ response: 'more' })] as const)
    assert.equal(nextAsking(done, event), done);
  for (const value of [null, 7, 'x', [], { response: 7 }, { record: { answer: 7 } }, {}])
    assert.equal(after(asked, line(value)).state, 'answering');
  assert.equal(after(asked, { event: 'stopped' }, line({ record })).state, 'stopped');
});

test('the numbers that passages have become citations, in lists too, and the others stay text', () => {
  const parts = answerParts(
    {
      answer: 'A [1].\n\nB [2, 9, 3] [9] c[1]',
      sentences: [{ text: 'B [2, 9, 3] [9] c[1]', support: 'unsupported' }],
    },
    (n) => n < 4,
  );
  assert.deepEqual(parts, [
    { kind: 'text', text: 'A ', support: null },
    { kind: 'citation', n: 1 },
    { kind: 'text', text: '.\n\n', support: null },
    { kind: 'text', text: 'B ', support: 'unsupported' },
    { kind: 'citation', n: 2 },
    { kind: 'citation', n: 3 },
    { kind: 'text', text: ' [9] c', support: 'unsupported' },
    { kind: 'citation', n: 1 },
  ]);
});

test('a sentence that is not in the answer marks nothing of it', () => {
  const sentences = [{ text: 'not there', support: 'unsupported' }];
  assert.deepEqual(
    answerParts({ answer: 'It is so.', sentences }, () => true),
    [{ kind: 'text', text: 'It is so.', support: null }],
  );
});

test('a lost connection is tried again after pauses that grow to half a minute, and one answer ends it', () => {
  let connection: Connection = { state: 'live' };
  const pauses: number[] = [];
  for (let at = 0, n = 0; n < 8; n += 1) {
    connection = nextConnection(connection, { event: 'failed', at, random: 0.5 });
    assert.equal(connection.state, 'lost');
    if (connection.state !== 'lost') return;
    pauses.push((connection.nextAt - at) / 1000);
    assert.equal(connection.since, 0);
    at = connection.nextAt;
  }
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
  assert.deepEqual(nextConnection(connection, { event: 'heard' }), { state: 'live' });
});

test('a refusal says which token is wanted', () => {
  const why = (status: number, withToken: boolean): unknown => {
    const next = nextConnection({ state: 'live' }, { event: 'refused', status, withToken });
    return next.state === 'closed' && next.why;
  };
  assert.deepEqual(
    [why(401, false), why(401, true), why(403, true)],
    ['no-token', 'wrong-token', 'url-token'],
  );
});
