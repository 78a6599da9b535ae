/**
 * A model server and the one door to it: `private-server SOCKET PORT -- COMMAND...` starts the command, and what
 * connects to the Unix socket talks to 127.0.0.1:PORT. Started in a network namespace of its own, nobody else can
 * reach that port, and only who may open the socket gets in. The two are one: when the command ends, so does this,
 * with its status; when this ends, so does the namespace.
 */
import { spawn } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { constants } from 'node:os';

const pollMs = 20;
const pieceBytes = 64 * 1024;

const [socketPath = '', portText = '', , file = '', ...args] = process.argv.slice(2);
const port = Number(portText);

const say = (line: string): void => void process.stderr.write(`private-server: ${line}\n`);

/** Half-open both ways: the end of a request is not the end of its answer. No Nagle: a token must not wait for the next. */
const toServer = { host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true };

/**
 * What one side closes is closed on the other: in order by its end, or by an error. Answers go through one buffer
 * a connection, the next piece when the last is written: a pipe's buffers, a new one a piece, make 60 MiB of garbage.
 */
function relay(client: Socket): void {
  const forward = (bytes: number, buffer: Uint8Array): boolean => {
    client.write(buffer.subarray(0, bytes), () => server.resume());
    return false;
  };
  const server = connect({
    ...toServer,
    onread: { buffer: Buffer.allocUnsafe(pieceBytes), callback: forward },
  });
  server.on('end', () => client.end());
  server.on('error', () => client.destroy());
  client.pipe(server);
  client.on('error', () => server.destroy());
}

function openDoor(): void {
  const door = createServer({ allowHalfOpen: true }, relay);
  door.on('error', (error) => {
    say(error.message);
    // Later ones are single connections that could not be taken.
    if (!door.listening) process.exit(1);
  });
  door.listen(socketPath, () => chmodSync(socketPath, 0o600));
}

/** Not before: who finds no socket knows that nobody listens yet, and who finds one is answered. */
function openDoorWhenServed(): void {
  const probe = connect(toServer);
  probe.once('connect', () => {
    probe.destroy();
    openDoor();
  });
  probe.once('error', () => setTimeout(openDoorWhenServed, pollMs));
}

process.on('exit', () => rmSync(socketPath, { force: true }));

// In our group and with our output: to the outside it is one process with us.
const child = spawn(file, args, { stdio: 'inherit' });
// These come to the whole group: the server, which has them too, decides when all ends. Not before there is one: it
// would never hear of them.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
process.on('SIGUSR2', () => undefined);
child.once('spawn', openDoorWhenServed);
child.once('error', (error: NodeJS.ErrnoException) => {
  say(error.message);
  process.exit(error.code === 'ENOENT' ? 127 : 126);
});
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
