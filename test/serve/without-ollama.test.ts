import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, post } from './open.ts';

test('a job without Ollama says so at once: who is told to wait would ask for ever', async () => {
  await using endpoint = await open();
  const answers = [
    await post(`${endpoint.url}/api/embed`, { model: 'medcpt', input: ['a'] }),
    await fetch(`${endpoint.url}/api/tags`),
    await fetch(`${endpoint.url}/api/version`),
    await fetch(`${endpoint.url}/v1/models`),
  ];
  for (const answer of answers) {
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /no model of this job is Ollama's/);
  }
});
