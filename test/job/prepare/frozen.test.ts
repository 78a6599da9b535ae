import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Settings } from '../../../src/config/settings.ts';
import { whyFrozen } from '../../../src/job/prepare/frozen.ts';
import type { Intent } from '../../../src/job/prepare/intent.ts';

const embed = { id: 'ollama-embed', role: 'embed', model: 'm', gpus: [] } as const;
const whyOf = (
  kind: Exclude<Intent['kind'], 'dry-run'>,
  version?: string,
  plan: Parameters<typeof whyFrozen>[0]['plan'] = { embedder: 'ollama', instances: [embed] },
): string | undefined =>
  whyFrozen({
    intent: { kind } as Exclude<Intent, { kind: 'dry-run' }>,
    settings: { RAG_INDEX_VERSION: version } as Settings,
    plan,
  })?.message;

test('only a job that serves the newest index and embeds takes documents, and the others say why not', () => {
  assert.equal(whyOf('serve'), undefined);
  assert.equal(whyOf('serve', undefined, { embedder: 'none', instances: [] }), undefined);
  assert.match(whyOf('serve', 'paper-1') ?? '', /the version "paper-1"/);
  assert.match(whyOf('workload', 'run-17') ?? '', /its workload finds the same passages/);
  assert.match(whyOf('given') ?? '', /what it was given, then it ends/);
  assert.match(whyOf('serve', undefined, { embedder: 'ollama', instances: [] }) ?? '', /no embedder/);
});
