/**
 * The store host's program: `node host.ts <index folder>`, forked with an IPC channel and `serialization:
 * 'advanced'`. A process of its own, because LanceDB in a thread that is ended during a query takes the whole
 * process with it (SIGSEGV, Node 20 and 24), and because it may be killed at any time.
 */
import process from 'node:process';
import { toPlain } from '../errors.ts';
import type { Operations, Reply, Request } from './protocol.ts';

// Read when the native library is loaded. Below it are warnings for every query.
process.env['RUST_LOG'] ??= 'error';
const { openIndex } = await import('./operations.ts');

/** At once, whatever is under way: every commit is atomic, and without our parent nobody hears an answer. */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const send = (message: unknown): void => {
  // A parent that has just died: `disconnect` follows.
  process.send?.(message, undefined, undefined, () => undefined);
};

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
/** What is being written is finished and synced. */
process.on('SIGTERM', () => void operations.idle().then(() => process.exit(0)));
process.on('message', (request: Request) => void answer(operations, request).then(send));
send({ ready: true, pid: process.pid });
