import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openProgress, withProgress } from '../../src/observe/progress.ts';
import { openSteps } from '../../src/observe/steps.ts';
import type { IngestProgress } from '../../src/work.ts';

const at = (documentsDone: number): IngestProgress => ({
  documentsDone,
  documentsTotal: 100,
  chunks: 7 * documentsDone,
  embedded: 7 * documentsDone,
  tokens: 3000 * documentsDone,
  failed: 0,
});

test('a log gets a line every 30 seconds, with what is the case then', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const told: string[] = [];
  {
    using view = openProgress({ terminal: null, tell: (line) => told.push(line), timeLeft: () => 600 });
    context.mock.timers.tick(30_000);
    assert.deepEqual(told, [], 'nothing is known yet');
    for (let done = 1; done <= 40; done += 1) view.show(at(done));
    context.mock.timers.tick(29_999);
    view.show(at(50));
    context.mock.timers.tick(30_001);
  }
  context.mock.timers.tick(60_000);
  assert.equal(told.length, 2, told.join('\n'));
  assert.match(
    told[0] ?? '',
    /^ingest: 50 of 100 documents \(50 %\), 350 chunks, 0 failed; .*the job has 10 min$/,
  );
});

test('in a log whose lines say what goes on, nothing is said twice', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const told: string[] = [];
  using view = openProgress({ terminal: null, tell: (line) => told.push(line), prefix: '' });
  view.show(at(10));
  context.mock.timers.tick(30_000);
  assert.match(told[0] ?? '', /^10 of 100 documents/);
});

test('questions are counted in lines as well, each count for itself', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const told: string[] = [];
  using steps = openSteps({ terminal: null, tell: (line) => told.push(line) }, 'eval');
  steps.show('searched', 5, 10);
  context.mock.timers.tick(30_000);
  steps.show('ranked', 0, 10);
  context.mock.timers.tick(30_000);
  assert.match(told[0] ?? '', /^eval: 5 of 10 questions searched, \d+ s left$/);
  assert.equal(told[1], 'eval: 0 of 10 questions ranked');
});

test('what is told after a piece of work stands below its bar', async () => {
  const order: string[] = [];
  const line = { show: () => order.push('drawn'), [Symbol.dispose]: () => order.push('left') };
  const terminal = { openLine: () => line, tell: () => undefined, above: () => undefined };
  await withProgress({ terminal, tell: () => undefined }, async (show) => show(at(1)));
  order.push('told');
  assert.deepEqual(order, ['drawn', 'left', 'told']);
});
