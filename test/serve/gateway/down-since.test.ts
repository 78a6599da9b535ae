import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveInstance, Role } from '../../../src/models/types.ts';
import { makeDownSince, patienceLeft } from '../../../src/serve/gateway/down-since.ts';

test('a role is down from when its last instance went, and no longer when one is there', () => {
  const up = new Set<Role>(['generate', 'embed']);
  let now = 1000;
  const instance: LiveInstance = { id: 'one', url: 'http://127.0.0.1:1', model: 'm' };
  const down = makeDownSince(
    (role) => (up.has(role) ? [instance] : []),
    () => now,
  );
  assert.deepEqual([down.downMs('generate'), down.downMs('embed')], [0, 0]);
  up.delete('generate');
  down.look();
  now = 3000;
  assert.deepEqual([down.downMs('generate'), down.downMs('embed')], [2000, 0]);
  up.add('generate');
  down.look();
  up.delete('generate');
  assert.equal(down.downMs('generate'), 0, 'it has been up in between');
  now = 3001;
  assert.equal(down.downMs('generate'), 1);
});

test('a request loses patience with servers that are down, not with the line before one that is up', () => {
  assert.equal(patienceLeft(60_000, 0, 3_600_000), 60_000);
  assert.equal(patienceLeft(60_000, 1000, 59_000), 59_000);
  assert.equal(patienceLeft(60_000, 3_600_000, 10), 59_990, 'one that comes late has its own');
  assert.equal(patienceLeft(60_000, 61_000, 60_000), 0);
});
