import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusVerb } from '../../src/commands/status.ts';
import { plain } from '../../src/observe/paint.ts';

const run = (values: Readonly<Record<string, string>>, switches: readonly string[]): Promise<number> =>
  statusVerb.run({
    line: { settings: {}, values, switches: new Set(switches), positionals: [], workload: [] },
    bare: false,
    environment: { RAG_RUNTIME_STATE: '/no/such/folder', HOME: '/' },
    signal: AbortSignal.timeout(2000),
    print: () => undefined,
    write: () => undefined,
    tell: () => undefined,
    terminal: null,
    openScreen: null,
    paint: { out: plain, err: plain },
    columns: null,
  });

test('a time to wait that is no number, and one for nothing, are errors of usage', async () => {
  for (const wait of ['abc', '-1', '', 'Infinity', '1e9'])
    await assert.rejects(run({ wait }, ['env']), { code: 'usage', message: /is no number/ }, wait);
  await assert.rejects(run({ wait: '5' }, []), { code: 'usage', message: /without --env/ });
  await assert.rejects(run({ wait: '0.1' }, ['env']), { code: 'preflight' });
});
