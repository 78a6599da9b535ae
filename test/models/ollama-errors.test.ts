import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerError, connectionError, errorText, setbackOf } from '../../src/models/ollama-errors.ts';

for (const [status, text, code, setback] of [
  [404, "model 'm' not found", 'model-refused', undefined],
  [404, '404 page not found', 'model-refused', undefined],
  [400, 'the input length exceeds the context length', 'too-long', undefined],
  [500, 'input exceeds maximum context length', 'too-long', undefined],
  [
    400,
    'the prompt is longer than the context length currently available to the model; x',
    'too-long',
    undefined,
  ],
  [500, 'failed to encode response: json: unsupported value: NaN', 'bad-vector', undefined],
  [400, 'embedding contains NaN or Inf values', 'bad-vector', undefined],
  [400, 'do embedding request: Post "http://127.0.0.1:9/embedding": EOF', 'model-unavailable', 'died'],
  [500, 'an error was encountered while running the model: CUDA error', 'model-unavailable', 'died'],
  [499, 'request canceled', 'model-unavailable', 'died'],
  [503, 'server busy, please try again.  maximum pending requests exceeded', 'model-unavailable', 'busy'],
  [400, '"m" does not support chat', 'model-refused', undefined],
] as const) {
  test(`answerError() reads ${status} "${text.slice(0, 50)}" as ${code}${setback ? ` (${setback})` : ''}`, () => {
    const error = answerError('m', status, text);
    assert.equal(error.code, code);
    assert.equal(setbackOf(error), setback);
  });
}

test('answerError() of a missing model says how to get it', () => {
  assert.equal(answerError('qwen3:235b', 404, "model 'qwen3:235b' not found").hint, 'ollama pull qwen3:235b');
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
  assert.equal(errorText('405 method not allowed\n'), '405 method not allowed');
  assert.equal(errorText(''), 'no message');
});
