import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eraOf, promptWarning } from '../../src/services/ollama-version.ts';

for (const [version, era] of [
  ['0.12.3', 'llama runner'],
  ['0.24.0', 'llama runner'],
  ['0.30.0', 'llama-server'],
  ['0.33.0-rc2', 'llama-server'],
  ['v0.9.6', 'llama runner'],
  ['1.0.0', 'llama-server'],
  ['unknown', null],
  ['0.0.0', null],
] as const)
  test(`eraOf() puts ${version} into ${era ?? 'no era'}`, () => {
    assert.equal(eraOf(version), era);
  });

test('promptWarning() warns of versions that cut a prompt silently, and of no others', () => {
  assert.match(promptWarning('0.12.3') ?? '', /0\.12\.3 cuts off .* 0\.13 or newer/);
  for (const version of ['0.13.0', '0.33.0-rc2', '1.2.3', '0.0.0', 'unknown'])
    assert.equal(promptWarning(version), null, version);
});
