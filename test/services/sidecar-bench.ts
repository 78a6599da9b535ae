/** Children that speak like the Python one, in a tree of their own. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { readyChildren } from '../../src/job/services/ready-children.ts';
import { makeRerank } from '../../src/models/rerank.ts';
import { makeSidecars } from '../../src/models/sidecar.ts';
import type { Rerank } from '../../src/models/types.ts';
import { sidecarSpec, type SidecarOptions } from '../../src/services/sidecar.ts';
import type { SidecarReady } from '../../src/services/sidecar-ready.ts';
import type { SidecarStats } from '../../src/services/sidecar-stats.ts';
import type { ChildSpec, Tree } from '../../src/supervise/spec.ts';
import { soon, type Bench } from './serving.ts';

export const fakePython: string = path.join(import.meta.dirname, '../fixtures/fake-sidecar/python3');

export interface Told {
  readonly ready: SidecarReady[];
  readonly stats: SidecarStats[];
}

/** @param faults words for FAKE_SIDECAR */
export function fakeSidecar(
  { dir }: Bench,
  faults = '',
  more: Partial<SidecarOptions> = {},
): { spec: ChildSpec; told: Told } {
  const told: Told = { ready: [], stats: [] };
  const id = more.id ?? 'reranker';
  const spec = sidecarSpec({
    id,
    python: fakePython,
    script: '/app/scripts/sidecar.py',
    rerank: dir,
    encode: [],
    halfPrecision: true,
    batchSize: undefined,
    allowCpu: false,
    gpus: ['GPU-c'],
    cpus: 16,
    baseEnv: {
      PATH: process.env['PATH'] ?? '',
      CUDA_VISIBLE_DEVICES: '0,1,2',
      ROCR_VISIBLE_DEVICES: '0',
      FAKE_SIDECAR: faults,
      FAKE_SIDECAR_RECORD: path.join(dir, 'record.jsonl'),
    },
    supervisorId: 'test.1',
    cwd: dir,
    logFile: path.join(dir, `${id}.log`),
    graceMs: 5_000,
    startTimeoutMs: 10_000,
    onReady: (ready) => void told.ready.push(ready),
    onStats: (stats) => void told.stats.push(stats),
    ...more,
  });
  return { spec, told };
}

/** What each start was given. */
export async function recordOf({ dir }: Bench): Promise<{ pid: number; words: string[]; env: object }[]> {
  const lines = (await readFile(path.join(dir, 'record.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

export async function rerankBy(
  tree: Tree,
  ids: readonly string[] = ['reranker'],
  stallMs = 60_000,
): Promise<Rerank> {
  await tree.untilReady(ids, soon());
  return makeRerank(makeSidecars({ ...readyChildren(tree, ids), stallMs }));
}
