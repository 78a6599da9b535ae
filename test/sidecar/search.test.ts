/** The exact search of a block of vectors, beside the same in plain numbers. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { watchLeaks } from '../leaks.ts';
import { difference, sidecarScript, startPython, vectorsOf, withoutTorch, type Frame } from './sidecar.ts';

const leaks = watchLeaks();
const folder = mkdtempSync(join(tmpdir(), 'rag-search-'));
const at = (name: string): string => join(folder, name);
after(async () => {
  rmSync(folder, { recursive: true });
  await leaks.assertNone();
});

const codeOf = (frame: Frame): unknown => (frame['error'] as Frame | undefined)?.['code'];

test('a block of vectors is searched exactly, equal scores by row', { skip: withoutTorch }, async () => {
  await using sidecar = startPython([sidecarScript, '--allow-cpu']);
  const answerOf = async (request: Frame): Promise<Frame> => {
    const answer = await sidecar.ask(request);
    assert.equal(answer['error'], undefined, JSON.stringify(answer));
    return answer;
  };
  const [rows, dimensions] = [1000, 6];
  // Few different numbers: many rows are equal.
  const matrix = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: dimensions }, (_, column) => (((row * 31 + column * 17) % 23) % 5) - 2),
  );
  const queries = [
    [1, 2, 3, -1, 0, 0.5],
    [-1, 0, 0, 1, 1, 1],
  ];
  writeNpy(at('block.npy'), matrix);
  const raw = readFileSync(at('block.npy')).subarray(128);
  writeFileSync(at('block.raw'), Buffer.concat([Buffer.from('head'), raw]));
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, column) => sum + value * (b[column] ?? 0), 0);
  const scorers = {
    dot,
    cosine: (a: readonly number[], b: readonly number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
    l2: (a: readonly number[], b: readonly number[]) => -(dot(a, a) - 2 * dot(a, b) + dot(b, b)),
  };
  const vectors = Buffer.from(Float32Array.from(queries.flat()).buffer).toString('base64');
  for (const [metric, score] of Object.entries(scorers)) {
    const file =
      metric === 'dot' ? { file: at('block.raw'), dimensions, offset: 4 } : { file: at('block.npy') };
    const loaded = await answerOf({ id: 1, op: 'load', block: 'b', metric, ...file });
    assert.deepEqual([loaded['rows'], loaded['dimensions']], [rows, dimensions]);
    const found = await answerOf({ id: 2, op: 'search', block: 'b', vectors, k: 50 });
    const ids = Buffer.from(String(found['rows']), 'base64');
    for (const [line, query] of queries.entries()) {
      // Rounded: the last bit of a cosine is nobody's order.
      const scores = matrix.map((row) => Math.round(score(query, row) * 1e5) / 1e5);
      const best = scores.map((_, row) => row).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
      const got = Array.from({ length: 50 }, (_, at) => ids.readInt32LE(4 * (50 * line + at)));
      assert.deepEqual(got, best.slice(0, 50), `${metric}, query ${line}`);
      const want = got.map((row) => scores[row] ?? 0);
      assert.ok(difference([vectorsOf(found['scores'], 50)[line] ?? []], [want]) < 1e-4, metric);
    }
  }
  const wrong = [
    { op: 'load', block: 'c', file: at('nothing.npy'), metric: 'dot' },
    { op: 'load', block: 'c', file: at('block.raw'), metric: 'dot' },
    { op: 'load', block: 'c', file: at('block.raw'), metric: 'dot', dimensions, rows: rows + 1 },
    { op: 'load', block: 'c', file: at('block.npy'), metric: 'near' },
    { op: 'search', block: 'c', vectors, k: 1 },
    { op: 'search', block: 'b', vectors: 'AAAA', k: 1 },
  ];
  for (const [id, request] of wrong.entries())
    assert.equal(codeOf(await sidecar.ask({ id, ...request })), 'bad-request', JSON.stringify(request));
  assert.equal(codeOf(await sidecar.ask({ id: 3, op: 'search', block: 'b', vectors, k: 0 })), 'bad-request');
  await answerOf({ id: 4, op: 'unload', block: 'b' });
  assert.equal(codeOf(await sidecar.ask({ id: 5, op: 'search', block: 'b', vectors, k: 1 })), 'bad-request');
});

/** A matrix as numpy saves it, in f16. */
function writeNpy(path: string, matrix: readonly (readonly number[])[]): void {
  const shape = `(${matrix.length}, ${matrix[0]?.length})`;
  const header = `{'descr': '<f2', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
  const start = Buffer.from(`\u0093NUMPY\u0001\u0000v\u0000${header}\n`, 'latin1');
  writeFileSync(path, Buffer.concat([start, Buffer.from(Float16Array.from(matrix.flat()).buffer)]));
}
