import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeQuarantine } from '../../../src/serve/gateway/quarantine.ts';

const body = Buffer.from('{"model":"m","prompt":"poison"}');

test('the same request at the same route is known for a while, and no other', () => {
  let now = 0;
  const quarantine = makeQuarantine(1000, () => now);
  assert.equal(quarantine.has('/api/generate', body), false);
  quarantine.add('/api/generate', body);
  assert.equal(quarantine.has('/api/generate', Buffer.from(body)), true);
  assert.equal(quarantine.has('/api/chat', body), false);
  assert.equal(quarantine.has('/api/generate', Buffer.from('{}')), false);
  now = 999;
  assert.equal(quarantine.has('/api/generate', body), true);
  now = 1000;
  assert.equal(quarantine.has('/api/generate', body), false);
});

test('its memory is bounded', () => {
  const quarantine = makeQuarantine();
  const nth = (n: number): Buffer => Buffer.from(String(n));
  for (let n = 0; n < 300; n += 1) quarantine.add('/api/chat', nth(n));
  assert.equal(quarantine.has('/api/chat', nth(0)), false);
  assert.equal(quarantine.has('/api/chat', nth(299)), true);
});
