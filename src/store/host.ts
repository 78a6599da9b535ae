/**
 * The store host's program: `node host.ts <index folder>`, forked with an IPC channel and `serialization:
 * 'advanced'`. A process of its own, because LanceDB in a thread that is ended during a query takes the whole
 * process with it (SIGSEGV, Node 20 and 24), and because it may be killed at any time.
 */
import process from 'node:process';
import { toPlain } from '../errors.ts';
import type { Operations, Ping, Ready, Reply, Request } from './wire/protocol.ts';

// Read when the native library is loaded. Below it are warnings for every query.
process.env['RUST_LOG'] ??= 'error';
const { openIndex } = await import('./operations.ts');

/** The disk under the log may be full: without a listener the first line that is said ends the process. */
process.stderr.on('error', () => undefined);

/** At once, whatever is under way: every commit is atomic, and without our parent nobody hears an answer. */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

/** Resolves when it is on its way. A parent that has just died is no error here: `disconnect` follows. */
const send = (message: unknown): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });

async function answer(operations: Operations, { id, op, args }: Request): Promise<Reply> {
  try {
    const run = operations[op] as (...values: readonly unknown[]) => Promise<unknown>;
    return { id, ok: true, value: await run(...args) };
  } catch (error) {
    return { id, error: toPlain(error) };
  }
}

const root = process.argv[2];
if (root === undefined || process.send === undefined) {
  process.stderr.write(
    'Cannot start the store host: it is forked with an IPC channel and the folder of an index.\n',
  );
  process.exit(64);
}
const operations = openIndex(root, (line) => process.stderr.write(`${line}\n`));
const answering = new Set<Promise<void>>();
process.on('message', (request: Request | Ping) => {
  if (request.op === 'ping') {
    void send({ pong: true });
    return;
  }
  const answered = answer(operations, request)
    .then(send)
    .finally(() => answering.delete(answered));
  answering.add(answered);
});
/** Slurm sends it to every process of a job; ours to stop us is INT, because the drain still commits. */
process.on('SIGTERM', () => {});
/** Nor does the warning before the wall time end us, which it sends to everything below a task of a step. */
process.on('SIGUSR2', () => {});
/** What was asked before is answered, above all what is being written. */
process.on('SIGINT', () => void Promise.all(answering).then(() => process.exit(0)));
await send({ ready: true, pid: process.pid } satisfies Ready);
