import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatCompletionChunk } from '../../../src/serve/openai/answers.ts';
import { chatBody, eventsOf, ollamaOf, upstream } from '../model-servers.ts';
import { open, post } from '../open.ts';

const over = { done: true, done_reason: 'stop' };

test('a stream that is asked anew begins anew: nothing of the first try is in it', async () => {
  const call = { function: { name: 'look', arguments: {} } };
  const lines = [
    { message: { role: 'assistant', content: '', tool_calls: [call] } },
    { message: { role: 'assistant', content: '' }, ...over },
  ].map((line) => `${JSON.stringify(line)}\n`);
  let asked = 0;
  await using one = await upstream((_request, response) => {
    asked += 1;
    response.end(asked === 1 ? `${lines[0]}{"error":"CUDA error: lost"}\n` : lines.join(''));
  });
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const answer = await post(`${endpoint.url}/v1/chat/completions`, chatBody('x', { stream: true }));
  const events = eventsOf(await answer.text()).filter((event) => event !== '[DONE]');
  const deltas = events.map((event) => chatCompletionChunk.parse(JSON.parse(event)).choices[0]?.delta);
  assert.deepEqual([asked, deltas[0]?.role, deltas[0]?.tool_calls?.[0]?.index], [2, 'assistant', 0]);
});
