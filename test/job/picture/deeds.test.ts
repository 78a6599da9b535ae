import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Deed, makeDeeds } from '../../../src/job/picture/deeds.ts';

const deed: Deed = { deed: 'retrieved', queries: 1, seconds: 0.1 };

test('who counts and fails hinders neither who works nor the others who count', () => {
  const errors: unknown[] = [];
  const heard: Deed[] = [];
  const { tell, listen } = makeDeeds((error) => errors.push(error));
  listen(() => {
    throw new Error('not a number');
  });
  const stop = listen((one) => heard.push(one));
  tell(deed);
  assert.deepEqual([errors.length, heard], [1, [deed]]);
  stop();
  tell(deed);
  assert.equal(heard.length, 1);
});
