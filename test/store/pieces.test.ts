/** The parts of the store that are pure, or nearly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { makeCredit } from '../../src/store/wire/credit.ts';
import { toHalf, toHalfByHand } from '../../src/store/write/half.ts';
import { isPending, isShown, noteComplete, noteMain, type Ledger } from '../../src/store/ledger.ts';

/** By definition: sign, five bits of exponent, ten of mantissa. */
function fromHalf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const mantissa = (bits & 1023) / 1024;
  return sign * (exponent === 0 ? mantissa * 2 ** -14 : (1 + mantissa) * 2 ** (exponent - 15));
}

for (const [by, toBits] of [
  ['the platform', toHalf],
  ['hand', toHalfByHand],
] as const) {
  test(`every half float survives, and any number becomes the nearest one, by ${by}`, () =>
    checkHalves(toBits));
}

function checkHalves(toBits: typeof toHalf): void {
  const finite = Array.from({ length: 0x7c00 }, (_, bits) => bits).flatMap((bits) => [bits, bits | 0x8000]);
  assert.deepEqual([...toBits(Float32Array.from(finite, fromHalf))], finite);
  fc.assert(
    fc.property(fc.float({ min: -1, max: 1, noNaN: true }), (value) => {
      const [bits = 0] = toBits(Float32Array.of(value));
      const error = Math.abs(fromHalf(bits) - value);
      for (const neighbour of [bits - 1, bits + 1].filter((other) => (other & 0x7fff) <= 0x3c00)) {
        assert.ok(error <= Math.abs(fromHalf(neighbour) - value));
      }
    }),
  );
  assert.deepEqual([...toBits(new Float32Array([9, 0.5, 1, 9]).subarray(1, 3))], [0x3800, 0x3c00]);
}

test('the newest complete version is shown, in whatever order the rows are read', () => {
  const versions = [1, 2, 3].map((version) => ({ document: 'd', hash: `h${version}`, version, chunks: 1 }));
  fc.assert(
    fc.property(
      fc.shuffledSubarray(versions, { minLength: 1 }),
      fc.constantFrom(...versions),
      (inShards, inMain) => {
        const ledger: Ledger = new Map();
        for (const row of inShards) noteComplete(ledger, row);
        noteMain(ledger, inMain);
        const newest = Math.max(...inShards.map(({ version }) => version), inMain.version);
        for (const row of versions) assert.equal(isShown(ledger, row, 'shard'), row.version === newest);
        assert.equal(isShown(ledger, inMain, 'main'), inMain.version === newest);
        for (const row of versions) assert.equal(isPending(ledger.get('d'), row), row.version > newest);
      },
    ),
  );
  assert.equal(isShown(new Map(), { document: 'd', hash: 'h' }, 'main'), true);
  assert.equal(isShown(new Map(), { document: 'd', hash: 'h' }, 'shard'), false);
});

test('credit lets in what fits, in order, and one large piece alone', async () => {
  const credit = makeCredit(10);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = [4, 4, 4, 50, 1].map((bytes) =>
    credit(bytes, async () => {
      begun.push(bytes);
      await new Promise<void>((end) => ends.push(end));
    }),
  );
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await turn();
  };
  await turn();
  assert.deepEqual(begun, [4, 4]);
  await endOne();
  assert.deepEqual(begun, [4, 4, 4]);
  await endOne();
  assert.deepEqual(begun, [4, 4, 4], 'the large piece waits for all, the small one behind it for its turn');
  await endOne();
  assert.deepEqual(begun, [4, 4, 4, 50]);
  await endOne();
  assert.deepEqual(begun, [4, 4, 4, 50, 1]);
  await endOne();
  await Promise.all(work);
  await assert.rejects(
    credit(1, () => Promise.reject(new Error('full'))),
    /full/,
  );
  await credit(10, async () => undefined);
});
