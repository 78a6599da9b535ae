/**
 * The way to a supervisor of this node for who is on another one: `relay SOCKET`, started inside the job. What comes on its
 * input are connections to that Unix socket, many at a time, as streams of HTTP/2, which keeps a slow one from holding up
 * the others. It ends with its input.
 */
import { statSync } from 'node:fs';
import { createServer, type Http2Session } from 'node:http2';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Duplex, PassThrough, pipeline } from 'node:stream';
import { frameStream } from './stream-frames.ts';
import { greeting, pipeBytes, sessionOptions, wholeWindowBytes } from './tunnel-protocol.ts';

const [socket = ''] = process.argv.slice(2);

/** In a folder of another user somebody else would answer. */
function checkOwner(): void {
  const { uid } = statSync(dirname(socket));
  if (uid === process.getuid?.()) return;
  process.stderr.write(`${dirname(socket)} belongs to another user\n`);
  process.exit(1);
}

checkOwner();
const out = frameStream();
out.pipe(process.stdout);
process.stdout.write(`${greeting}\n`);
const server = createServer(sessionOptions);
server.on('session', (session: Http2Session) => session.setLocalWindowSize(wholeWindowBytes));
server.on('stream', (stream) => {
  const local = connect({ path: socket, allowHalfOpen: true });
  local.once('connect', () => stream.respond());
  // However one side ends, in order or not, so does the other.
  pipeline(local, stream, local, () => local.destroy());
});
server.on('sessionError', () => process.exit(1));
const input = process.stdin.pipe(new PassThrough({ highWaterMark: pipeBytes }));
server.emit('connection', Duplex.from({ readable: input, writable: out }));
process.stdin.on('end', () => process.exit(0));
process.stdout.on('error', () => process.exit(1));
