import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerError, connectionError, errorText, setbackOf } from '../../src/models/ollama-errors.ts';

/** What a server answers, and what we make of it. A body is JSON `{"error"}` unless it is plain text. */
const json = (error: string): string => JSON.stringify({ error });
const eof = json('do embedding request: Post "http://127.0.0.1:40000/embedding": EOF');
const busy = json('server busy, please try again.  maximum pending requests exceeded');

for (const [version, status, body, code, setback] of [
  ['0.12.3', 500, json('failed to encode response: json: unsupported value: NaN'), 'bad-vector'],
  ['0.33.0', 400, json('embedding contains NaN or Inf values'), 'bad-vector'],
  ['0.12.3', 400, json('input exceeds maximum context length'), 'too-long'],
  ['0.33.0', 400, json('the input length exceeds the context length'), 'too-long'],
  ['0.33.0', 400, json('input exceeds maximum context length and cannot be truncated further'), 'too-long'],
  [
    '0.33.0',
    400,
    json('the prompt is longer than the context length currently available to the model; shorten it'),
    'too-long',
  ],
  ['0.12.3', 500, eof, 'model-unavailable', 'died'],
  ['0.33.0', 400, eof, 'model-unavailable', 'died'],
  [
    '0.12.3',
    500,
    json('llama runner process has terminated: cudaMalloc failed: out of memory'),
    'model-unavailable',
    'died',
  ],
  [
    '0.33.0',
    500,
    json('llama-server process has terminated: exit status 0xc0000409'),
    'model-unavailable',
    'died',
  ],
  [
    '0.33.0',
    400,
    json('llama-server process no longer running: signal: killed '),
    'model-unavailable',
    'died',
  ],
  [
    '0.12.3',
    500,
    json('an error was encountered while running the model: CUDA error'),
    'model-unavailable',
    'died',
  ],
  ['0.12.3', 499, json('request canceled'), 'model-unavailable', 'died'],
  ['0.33.0', 499, json('request canceled'), 'model-unavailable', 'died'],
  ['0.12.3', 503, busy, 'model-unavailable', 'busy'],
  ['0.33.0', 503, busy, 'model-unavailable', 'busy'],
  ['0.12.3', 404, json("model 'm' not found"), 'model-refused'],
  ['0.33.0', 404, json('model "m" not found, try pulling it first'), 'model-refused'],
  ['0.33.0', 404, '404 page not found', 'model-refused'],
  ['0.33.0', 405, '405 method not allowed', 'model-refused'],
  ['0.33.0', 403, '', 'model-refused'],
  ['0.33.0', 400, json('"m" does not support chat'), 'model-refused'],
  ['0.33.0', 400, json('time: missing unit in duration "-1"'), 'model-refused'],
] as const) {
  test(`${version}: ${status} ${body.slice(0, 60)} is ${code}${setback ? ` (${setback})` : ''}`, () => {
    const error = answerError('m', status, errorText(body));
    assert.equal(error.code, code);
    assert.equal(setbackOf(error), setback);
  });
}

test('429 of the endpoint of another job is a full queue, too', () => {
  const error = answerError('m', 429, 'Cannot take the request: 512 others wait');
  assert.deepEqual([error.code, setbackOf(error)], ['model-unavailable', 'busy']);
});

/** Ollama looks for these in the output of its runner and puts what follows into its answer. */
for (const words of [
  'CUDA error: an illegal memory access was encountered',
  'ROCm error: invalid device function',
  'cudaMalloc failed: out of memory',
  'error loading model: unable to allocate backend buffer',
  'GGML_ASSERT(n_tokens <= n_batch) failed',
  'panic: runtime error: index out of range',
  'fatal error: unexpected signal during runtime execution',
  'llama_init_from_model: failed to initialize the context',
])
  test(`a runner whose last words are "${words}" died, whatever the status`, () => {
    for (const status of [400, 500]) assert.equal(setbackOf(answerError('m', status, words)), 'died');
  });

test('answerError() says what to do about a missing model, a wrong address and a refused name', () => {
  const hint = (status: number, text: string): unknown => answerError('qwen3:235b', status, text).hint;
  assert.equal(hint(404, "model 'qwen3:235b' not found"), 'ollama pull qwen3:235b');
  assert.match(String(hint(404, '404 page not found')), /address of an Ollama server/);
  assert.match(String(hint(405, '405 method not allowed')), /address of an Ollama server/);
  assert.match(String(hint(403, errorText(''))), /127\.0\.0\.1/);
});

test('connectionError() tells a request that never arrived from one that was cut', () => {
  assert.equal(
    setbackOf(connectionError('u', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))),
    'refused',
  );
  assert.equal(
    setbackOf(connectionError('u', Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET' }))),
    'died',
  );
});

test('errorText() reads JSON and plain text', () => {
  assert.equal(errorText('{"error":"no"}'), 'no');
  assert.equal(errorText('{"error":{"code":"model-unavailable","message":"not yet"}}'), 'not yet');
  assert.equal(errorText('405 method not allowed\n'), '405 method not allowed');
  assert.equal(errorText(''), 'no message');
});
