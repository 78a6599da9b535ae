import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeLooks } from '../../src/ingest/seen.ts';

test('the first look takes everything, and nothing of it is due again', () => {
  const looks = makeLooks();
  assert.ok(looks.isFirst);
  assert.ok(looks.isDue('a', '1'));
  assert.deepEqual(looks.endLook(true), { due: true, unsettled: false });
  assert.ok(!looks.isFirst);
  assert.ok(!looks.isDue('a', '1'));
  assert.deepEqual(looks.endLook(true), { due: false, unsettled: false });
});

test('what is new or has changed is due at the second look that finds it in the same state', () => {
  const looks = makeLooks();
  looks.isDue('a', '1');
  looks.endLook(true);
  for (const state of ['2', '3']) {
    assert.ok(!looks.isDue('a', state), 'it is still being written');
    assert.deepEqual(looks.endLook(true), { due: false, unsettled: true });
  }
  assert.ok(looks.isDue('a', '3'));
  assert.deepEqual(looks.endLook(true), { due: true, unsettled: false });
  assert.ok(!looks.isDue('a', '3'));
});

test('what was due and was not ingested is due at the next look', () => {
  const looks = makeLooks();
  looks.endLook(true);
  looks.isDue('a', '1');
  looks.endLook(true);
  for (const ingested of [false, true]) {
    assert.ok(looks.isDue('a', '1'));
    looks.endLook(ingested);
  }
  assert.ok(!looks.isDue('a', '1'));
});
