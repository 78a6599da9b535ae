/** The real program with the embedded engine and a small index, serving on loopback. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, type Ended, runProgram, startProgram, until } from '../program.ts';

export interface Service {
  readonly url: string;
  readonly pid: number;
  readonly folder: string;
  /** By the verb, as users do it. */
  stop(): Promise<Ended>;
}

/** Resolves when it serves and everything is ingested. */
export async function startService(): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'rag-service-'));
  const env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: folder,
    LOG_ROOT: join(folder, 'logs'),
    RAG_WATCH_SECONDS: '0',
  };
  const words = ['run', '--mode', 'serve', '--input-file', join(checkout, 'examples/corpus')];
  const program = startProgram(words, { env });
  const early = program.ended.then(({ stderr }): never => {
    throw new Error(`The service ended by itself:\n${stderr}`);
  });
  early.catch(() => undefined);
  const file = join(folder, 'runtime/ollama_service.json');
  const url = await Promise.race([
    early,
    until('the endpoint file', 60_000, () =>
      existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { url: string }).url : undefined,
    ),
  ]);
  await Promise.race([
    early,
    until('phase answering', 60_000, async () => {
      const { phase } = (await (await fetch(`${url}/status`)).json()) as { phase: string };
      return phase === 'answering' ? true : undefined;
    }),
  ]);
  return {
    url,
    pid: program.pid,
    folder,
    stop: async () => {
      await runProgram(['stop'], { env });
      const ended = await program.ended;
      await rm(folder, { recursive: true });
      return ended;
    },
  };
}
