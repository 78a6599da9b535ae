/** A job that serves on the throw-away Slurm, all of it ready; and whether it is gone. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentOf, startTimeOf } from '../../src/machine/processes.ts';
import type { Cluster, SubmittedJob } from '../journeys/cluster.ts';
import { until } from '../journeys/program.ts';
import { childrenOf, commandOf, describe, isRunning, type World } from './world.ts';

export interface Service extends SubmittedJob {
  readonly supervisor: number;
  /** slurmstepd, its parent. */
  readonly step: number;
  /** Living processes of the job: with the world's mark, or a child of the supervisor that had none. */
  left(): number[];
}

/** All that a job writes lies in the world's folder, where the next job of the world finds it. */
export const environmentOf = (world: World): Record<string, string> => ({
  FAULT: world.unique,
  RAG_CONTAINMENT: world.mode,
  RAG_SHARED_ROOT: world.folder,
  RAG_RUNTIME_STATE: join(world.folder, 'runtime'),
  LOG_ROOT: join(world.folder, 'logs'),
  TMPDIR: world.folder,
});

const endpointFile = (world: World): string => join(world.folder, 'runtime/ollama_service.json');

/** Disposing cancels it. */
export async function startService(cluster: Cluster, world: World): Promise<Service> {
  const job = await cluster.submit({
    words: [],
    // A warning that nobody heeds: this job hears of its end from TERM.
    sbatch: ['--no-requeue', '--signal=B:URG@1'],
    env: environmentOf(world),
  });
  await until('the endpoint', 60_000, () => publishedBy(world) === job.id || undefined).catch(
    async (cause: unknown) => {
      await job[Symbol.asyncDispose]();
      throw new Error(`The job said:\n${await job.output()}`, { cause });
    },
  );
  const supervisor = world.marked().find((pid) => / \S+dist\/supervisor\.js run$/.test(commandOf(pid)));
  assert.ok(supervisor !== undefined);
  const step = parentOf(supervisor);
  assert.ok(step !== undefined && commandOf(step).startsWith('slurmstepd'), 'Slurm started it');
  const known = [supervisor, ...childrenOf(supervisor)].map((pid) => ({ pid, start: startTimeOf(pid) }));
  const left = (): number[] => {
    const unmarked = known.filter(({ pid, start }) => startTimeOf(pid) === start && isRunning(pid));
    return [...new Set([...world.marked(), ...unmarked.map(({ pid }) => pid)])];
  };
  assert.equal(runnersAmong(left()), 2, left().map(describe).join('\n'));
  return { ...job, supervisor, step, left };
}

const runnersAmong = (pids: readonly number[]): number =>
  pids.filter((pid) => /^(ollama|llama-server) 600/.test(commandOf(pid))).length;

/** The job whose endpoint file stands. */
export function publishedBy(world: World): string | undefined {
  try {
    return (JSON.parse(readFileSync(endpointFile(world), 'utf8')) as { job_id: string }).job_id;
  } catch {
    return undefined;
  }
}

export const scratchFolders = (world: World): string[] =>
  readdirSync(world.folder).filter((name) => name.startsWith('rag-'));

/** Resolves with the moment, on the clock of `performance`. */
export async function untilEmpty(service: Service, boundMs: number): Promise<number> {
  try {
    return await until('an empty node', boundMs, () =>
      service.left().length === 0 ? performance.now() : undefined,
    );
  } catch (cause) {
    throw new Error(`Left over:\n${service.left().map(describe).join('\n')}`, { cause });
  }
}

/** What the supervisor wrote of its end: the first word of each message, and the rest. */
export const logOf = (service: Service, world: World): string[] =>
  readFileSync(join(world.folder, 'logs', service.id, 'supervisor.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
