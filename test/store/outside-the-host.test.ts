/** LanceDB is native code: it may crash, and its host may be killed; the supervisor may not (see store/host). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const source = join(import.meta.dirname, '../../src');
const statement = /^(?:import|export)\s+(?!type\b)(?:(?<clause>[^;'"]*?)\s+from\s+)?'(?<from>[^']+)'/gmu;
const namesTypesOnly = (clause: string): boolean => /^\{\s*(?:type\s+[^,}]+,?\s*)+\}$/u.test(clause);

/** What a file loads when it is loaded, with the way to it. */
function loadedBy(file: string, way: readonly string[], seen: Map<string, readonly string[]>): void {
  if (seen.has(file)) return;
  seen.set(file, way);
  for (const { groups = {} } of readFileSync(file, 'utf8').matchAll(statement)) {
    const { clause = '', from = '' } = groups;
    if (namesTypesOnly(clause)) continue;
    if (from.startsWith('.')) loadedBy(join(dirname(file), from), [...way, file], seen);
    else seen.set(from, [...way, file]);
  }
}

test('the supervisor loads neither LanceDB nor Arrow', () => {
  const seen = new Map<string, readonly string[]>();
  loadedBy(join(source, 'commands/main.ts'), [], seen);
  assert.ok(seen.size > 200);
  for (const library of ['@lancedb/lancedb', 'apache-arrow'])
    assert.deepEqual(seen.get(library) ?? [], [], `${library} is loaded`);
});
