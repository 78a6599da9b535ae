import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostOpenFiles } from '../../src/machine/open-files.ts';

test('mostOpenFiles() reads the limit in force, and takes the usual one where it cannot', () => {
  assert.ok(mostOpenFiles() >= 256);
  const row = (soft: string): string =>
    `Limit  Soft  Hard\nMax open files            ${soft}      1048576   files\n`;
  assert.equal(
    mostOpenFiles(() => row('4096')),
    4096,
  );
  assert.equal(
    mostOpenFiles(() => row('unlimited')),
    Infinity,
  );
  assert.equal(
    mostOpenFiles(() => ''),
    1024,
  );
  assert.equal(
    mostOpenFiles(() => {
      throw new Error('no /proc');
    }),
    1024,
  );
});
