import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeContainment } from '../../../src/job/services/contained.ts';

const contained = {
  guard: { pid: () => 7 },
  containment: { mode: 'pidns', network: 'private', reason: null, deathSignal: true },
} as const;

test('of a model server that runs elsewhere nobody says that its network is private, or shared', () => {
  assert.equal(describeContainment(contained, 0, 'ollama').network, 'private');
  assert.deepEqual(describeContainment(contained, 0, 'remote'), {
    containment: 'pidns',
    network: 'remote',
    containment_reason: null,
  });
  assert.equal(describeContainment(null, 0, 'remote').network, 'remote');
  assert.equal(describeContainment(null, 0, 'ollama').network, 'shared');
});

test('who asks for a port shares it with the node, where it is a server of his own', () => {
  const shared = describeContainment(contained, 11_434, 'ollama');
  assert.deepEqual([shared.network, shared.containment_reason], ['shared', 'OLLAMA_PORT is set']);
  const remote = describeContainment(contained, 11_434, 'remote');
  assert.deepEqual([remote.network, remote.containment_reason], ['remote', null]);
});

test('a network that could not be private is no lack where no server needs one', () => {
  const { guard, containment } = contained;
  const reason = 'no network namespace: forbidden';
  const shared = { guard, containment: { ...containment, network: 'shared', reason } } as const;
  assert.equal(describeContainment(shared, 0, 'remote').containment_reason, null);
  assert.equal(describeContainment(shared, 0, 'ollama').containment_reason, reason);
});
