import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { pickPort, uidOfPeer, whoListens } from '../../src/machine/ports.ts';
import { readStat } from '../../src/machine/processes.ts';
import { watchLeaks } from '../leaks.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const ownGroup = readStat(process.pid)?.group ?? assert.fail();

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  return server;
}

test('a picked port follows from the seed, lies below the ephemeral range, and is skipped when taken', async () => {
  const port = await pickPort('job 7, ollama 0');
  assert.equal(await pickPort('job 7, ollama 0'), port);
  assert.ok(port >= 10_240 && port < 32_768);
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    await using server = await listen(port, host);
    assert.ok(server.listening);
    assert.notEqual(await pickPort('job 7, ollama 0'), port, `taken on ${host}`);
  }
});

test('seeds of neighbours seldom meet', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, (_, job) => pickPort(`job ${job}`)));
  assert.ok(new Set(ports).size >= 47, `${new Set(ports).size} different of 50`);
});

test("a listening port is ours, foreign or nobody's, whatever address it is bound to", async () => {
  const port = await pickPort('who listens');
  assert.equal(await whoListens(port, ownGroup), 'nobody');
  for (const host of ['127.0.0.1', '0.0.0.0', '::', '::1']) {
    await using server = await listen(port, host);
    assert.ok(server.listening);
    assert.equal(await whoListens(port, ownGroup), 'ours', host);
    assert.equal(await whoListens(port, 999_999_999), 'foreign', host);
  }
});

test('the peer of a connection over loopback has our uid; a connection that is gone has none', async () => {
  for (const host of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    await using server = await listen(0, host.startsWith('::ffff') ? '::' : host);
    const { port } = server.address() as AddressInfo;
    const client = connect(port, host.replace('::ffff:', ''));
    const [socket] = (await once(server, 'connection')) as [Socket];
    const remotePort = socket.remotePort ?? assert.fail();
    assert.equal(uidOfPeer(port, remotePort), process.getuid?.(), host);
    client.destroy();
    socket.destroy();
    await Promise.all([once(client, 'close'), once(socket, 'close')]);
    assert.equal(uidOfPeer(port, remotePort), undefined);
  }
});
