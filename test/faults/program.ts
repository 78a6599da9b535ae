/** The whole program, built, with a fake Ollama, as a job that serves. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { SupervisorStatus } from '../../src/job/shown/status.ts';
import { NotHere } from './fault.ts';
import { checkout, commandOf, guardOf, systemPath, until, type World } from './world.ts';

const supervisor = join(checkout, 'dist/supervisor.js');
export const fakeOllama: string = join(checkout, 'test/fixtures/fake-ollama/ollama');

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<Ended>;
  /** What it says of itself in its state file. */
  status(): SupervisorStatus | undefined;
  /** From the file that other jobs read; undefined while there is none. */
  url(): string | undefined;
  signal(name: NodeJS.Signals): void;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Before `node`. */
  readonly prefix?: readonly string[];
  /** Instead of the world's user, where the prefix changes it. */
  readonly as?: World['as'];
}

/** What it gets: nothing of a developer's own settings. A job of a name of its own, whose dead runs are ended. */
const environmentOf = (world: World): Record<string, string> => ({
  ...world.env,
  PATH: [dirname(process.execPath), systemPath].join(delimiter),
  SLURM_JOB_ID: world.unique,
  RAG_CONTAINMENT: world.mode,
  RAG_ENGINE: 'ollama',
  OLLAMA_BIN: fakeOllama,
  OLLAMA_MODELS: join(world.folder, 'models'),
  RAG_ALLOW_CPU: '1',
  RAG_SHARED_ROOT: world.folder,
  LOG_ROOT: join(world.folder, 'logs'),
});

export function startProgram(world: World, words: readonly string[], options: ProgramOptions = {}): Program {
  const [file = '', ...rest]: readonly string[] = [
    ...(options.prefix ?? []),
    process.execPath,
    supervisor,
    ...words,
  ];
  const child = spawn(file, rest, {
    ...(options.as ?? world.as),
    cwd: world.folder,
    env: { ...environmentOf(world), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const runtime = join(world.folder, 'runtime');
  return {
    pid: child.pid ?? assert.fail(),
    ended: endOf(child),
    status: () => readJson(join(runtime, 'supervisors')) as SupervisorStatus | undefined,
    url: () => (readJson(join(runtime, 'ollama_service.json')) as { url: string } | undefined)?.url,
    signal: (name) => void child.kill(name),
  };
}

async function endOf(child: ChildProcess): Promise<Ended> {
  assert.ok(child.stdout !== null && child.stderr !== null);
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code as number | null, signal: signal as string | null, stdout, stderr };
}

/** A file, or the only one in a folder. */
function readJson(path: string): unknown {
  if (!existsSync(path)) return undefined;
  try {
    const file = path.endsWith('.json')
      ? path
      : join(path, readdirSync(path).find((name) => name.endsWith('.json')) ?? '');
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

export interface Serving extends Program {
  readonly servers: readonly number[];
  /** One for each server: what holds the GPU memory. */
  readonly runners: readonly number[];
  guard(): number;
}

/** Resolves when it has published its endpoint. */
export async function serve(world: World, options: ProgramOptions = {}): Promise<Serving> {
  const program = startProgram(world, ['run', '--mode', 'serve'], options);
  let over: Ended | undefined;
  void program.ended.then((ended) => (over = ended));
  await until('the endpoint', () => {
    if (over !== undefined && /RAG_CONTAINMENT=pidns wants them/.test(over.stderr))
      throw new NotHere(over.stderr);
    assert.equal(over, undefined);
    return program.url();
  });
  return {
    ...program,
    servers: serversOf(world),
    runners: runnersOf(world),
    guard: () => guardOf(program.pid) ?? assert.fail('no guard stands'),
  };
}

/** All services are ready, each after so many restarts (model servers first); the state file follows a moment later. */
export const untilReady = (program: Program, restarts: readonly number[]): Promise<unknown> =>
  until('the services', () => {
    const services = program.status()?.services ?? [];
    const areReady = services.every(({ state }) => state === 'ready');
    return (areReady && String(services.map((one) => one.restarts)) === String(restarts)) || undefined;
  });

const serversOf = (world: World): number[] =>
  world.marked().filter((pid) => /^\S*node \S+main\.mjs serve$/.test(commandOf(pid)));
const runnersOf = (world: World): number[] =>
  world.marked().filter((pid) => /^(ollama|llama-server) 600/.test(commandOf(pid)));

/** A request to the endpoint, as a process of the world's user: to others it gives nothing. */
export async function ask(
  world: World,
  url: string,
  body?: object,
): Promise<{ status: number; text: string }> {
  const child = spawn(process.execPath, ['-e', asker, url, JSON.stringify(body ?? null)], {
    ...world.as,
    cwd: '/',
    env: world.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return JSON.parse(said) as { status: number; text: string };
}

const asker = `
const [url, body] = process.argv.slice(1);
fetch(url, body === 'null' ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  .then(async (answer) => ({ status: answer.status, text: await answer.text() }))
  .catch((error) => ({ status: 0, text: String(error.cause ?? error) }))
  .then((told) => console.log(JSON.stringify(told)));
`;
