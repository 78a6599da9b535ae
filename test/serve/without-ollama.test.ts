import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFlights } from '../../src/models/flights.ts';
import { open, post } from './open.ts';

test('a job without Ollama says so at once: who is told to wait would ask for ever', async () => {
  const nobody = { current: () => undefined, frozen: () => undefined, flights: makeFlights() };
  await using endpoint = await open({ ollama: { ...nobody, roles: [] } });
  const answers = [
    await post(`${endpoint.url}/api/embed`, { model: 'medcpt', input: ['a'] }),
    await fetch(`${endpoint.url}/api/tags`),
    await fetch(`${endpoint.url}/api/version`),
  ];
  for (const answer of answers) {
    assert.equal(answer.status, 422);
    assert.match(await answer.text(), /no model of this job is Ollama's/);
  }
});
