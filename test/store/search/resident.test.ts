import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { connect, type Table } from '@lancedb/lancedb';
import { readResident } from '../../../src/store/search/resident.ts';
import { chunkTable, type StoredRow } from '../../../src/store/write/rows.ts';
import { chunkSchema } from '../../../src/store/schema.ts';
import type { EncoderRecord } from '../../../src/store/types.ts';
import { scratchFolder } from '../forked-host.ts';
import { encoder, rowsOf, vectorOf } from '../samples.ts';

const documents = Array.from({ length: 30 }, (_, at) => ({ key: `d${at}`, texts: [`text ${at}`] }));

async function fillTable(dir: string, record: EncoderRecord): Promise<Table> {
  const table = await (await connect(dir)).createEmptyTable('main', chunkSchema(record));
  // Three pieces, of which one loses its first rows.
  for (const from of [0, 10, 20]) {
    const rows = documents.slice(from, from + 10).flatMap((each) => rowsOf(each));
    const vectors = Float32Array.from(rows.flatMap(({ vector }) => [...vector]));
    await table.add(chunkTable({ rows, vectors }, record, 1));
  }
  await table.delete("document IN ('d10', 'd11', 'd15')");
  return table;
}

const rowIds = async (table: Table): Promise<bigint[]> => {
  const rows = await table.query().select(['document']).withRowId().toArray();
  return rows.map((row: StoredRow) => row['_rowid'] as bigint);
};

for (const type of ['f16', 'f32'] as const)
  for (const metric of ['dot', 'l2'] as const)
    test(`rows in memory are compared by ${metric} of ${type} as they would be on disk`, async () => {
      await using folder = await scratchFolder();
      const table = await fillTable(folder.path, { ...encoder, type });
      const resident = await readResident(
        table,
        { ...encoder, metric: metric === 'l2' ? 'l2' : 'cosine' },
        { vectors: true, words: true },
        new AbortController().signal,
      );
      const question = vectorOf('question');
      const exact = await table
        .query()
        .nearestTo(question)
        .distanceType(metric)
        .select(['document', '_distance'])
        .limit(9)
        .toArray();
      const ids = BigUint64Array.from([...(await rowIds(table)), 99n << 32n]);
      const ranked = resident?.rank(question, ids.toReversed(), 9) ?? [];
      assert.deepEqual(
        ranked.map(({ document }) => document),
        exact.map(({ document }) => String(document)),
      );
      for (const [at, { score }] of ranked.entries()) {
        const distance = Number((exact[at] as StoredRow)['_distance']);
        assert.ok(Math.abs(score - (metric === 'l2' ? -distance : 1 - distance)) < 1e-3);
      }
    });

test('words in memory are those of the rows, and it is counted which rows hold them', async () => {
  await using folder = await scratchFolder();
  const table = await fillTable(folder.path, encoder);
  const wanted = { vectors: false, words: true };
  const resident = await readResident(table, encoder, wanted, new AbortController().signal);
  const ids = await rowIds(table);
  const rows = ids.map((id) => resident?.words(id));
  assert.deepEqual(
    rows.map((row) => row?.words),
    rows.map(
      (row) => rowsOf({ key: row?.document ?? '', texts: [`text ${row?.document.slice(1)}`] })[0]?.words,
    ),
  );
  assert.deepEqual([resident?.words(99n << 32n), rows[0]?.length], [undefined, 3]);
  while (resident?.holders('text') === undefined) await setImmediate();
  assert.deepEqual([resident.holders('text'), resident.holders('d7'), resident.holders('none')], [27, 1, 0]);
});

test('where words are not kept nobody says how many rows hold one', async () => {
  await using folder = await scratchFolder();
  const table = await fillTable(folder.path, encoder);
  const wanted = { vectors: true, words: false };
  const resident = await readResident(table, encoder, wanted, new AbortController().signal);
  for (let turns = 0; turns < 20; turns++) await setImmediate();
  const [id = 0n] = await rowIds(table);
  assert.deepEqual([resident?.holders('text'), resident?.words(id)], [undefined, undefined]);
});

test('what is in memory of a row is found by its chunk', async () => {
  await using folder = await scratchFolder();
  const table = await fillTable(folder.path, encoder);
  const wanted = { vectors: false, words: true };
  const resident = await readResident(table, encoder, wanted, new AbortController().signal);
  const [row] = rowsOf(documents[7] ?? assert.fail());
  const chunk = row?.chunk ?? '';
  while (resident?.rows([chunk]).length === 0) await setImmediate();
  const [known] = resident?.rows(['none', chunk]) ?? [];
  const [stored]: StoredRow[] = await table
    .takeRowIds([known?.rowId ?? 0n])
    .select(['document', 'end_at'])
    .toArray();
  assert.deepEqual(
    [known?.row['document'], known?.row['end_at']],
    [stored?.['document'], stored?.['end_at']],
  );
  assert.equal(known?.row['document'], 'd7');
});
