import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePeers, rowsByEnd } from '../../src/machine/peers.ts';

const [ours, peer] = [
  { address: '127.0.0.1', port: 8000 },
  { address: '127.0.0.1', port: 50_000 },
] as const;
const row = '   1: 0100007F:C350 0100007F:1F40 01 00000000:00000000 00:00000000 00000000  1000        0 77 1';
const other = row.replace('C350', 'C351');
const table = ['  sl  local_address', other, row, other, ''].join('\n');

test('one reading answers all that have asked before it began, and no one who came later', async () => {
  let readings = 0;
  const begun = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const peers = makePeers(async () => {
    readings += 1;
    begun.resolve();
    await goesOn.promise;
    return [table];
  });
  const [one, two] = [peers.uidOf(ours, peer), peers.uidOf(ours, peer)];
  await begun.promise;
  const late = peers.uidOf(ours, peer);
  goesOn.resolve();
  assert.deepEqual(await Promise.all([one, two, late]), [1000, 1000, 1000]);
  assert.equal(readings, 2);
});

test('most of the time nobody reads, however many ask', async () => {
  let readings = 0;
  const peers = makePeers(async () => {
    readings += 1;
    const until = performance.now() + 20;
    while (performance.now() < until);
    return [table];
  });
  const began = performance.now();
  for (let n = 0; n < 4; n += 1) await peers.uidOf(ours, peer);
  assert.equal(readings, 4);
  assert.ok(performance.now() - began > 3 * 80, 'four times as long as each took');
});

test('rows are found by their local end, also of IPv6', () => {
  const six = row.replaceAll('0100007F:', '0000000000000000FFFF00000100007F:');
  const rowsOf = rowsByEnd([table, `  sl\n${six}`]);
  assert.deepEqual(rowsOf(peer), [row, six]);
  assert.deepEqual(rowsOf({ address: '127.0.0.1', port: 9 }), []);
});

test('who has gone is looked for by nobody', async () => {
  assert.equal(await makePeers(async () => [table]).uidOf(ours, peer, () => false), undefined);
});
