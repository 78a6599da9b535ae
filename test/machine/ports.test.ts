import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { makePeers } from '../../src/machine/peers.ts';
import { findPeer, pickPort, whoListens } from '../../src/machine/ports.ts';
import { readStat } from '../../src/machine/processes.ts';
import { watchLeaks } from '../leaks.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const ownGroup = readStat(process.pid)?.group ?? assert.fail();

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }).listen(port, host);
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
    const { localAddress = '', remoteAddress = '', remotePort = 0 } = socket;
    const [ours, peer] = [
      { address: localAddress, port },
      { address: remoteAddress, port: remotePort },
    ] as const;
    assert.equal(await makePeers().uidOf(ours, peer), process.getuid?.(), host);
    assert.equal(await makePeers().uidOf({ ...ours, address: '127.0.0.9' }, peer), undefined);
    client.end();
    await once(socket.resume(), 'end');
    assert.equal(await makePeers().uidOf(ours, peer), process.getuid?.(), `${host}, half closed`);
    client.destroy();
    socket.destroy();
    await Promise.all([once(client, 'close'), once(socket, 'close')]);
    assert.equal(await makePeers().uidOf(ours, peer), undefined);
  }
});

/** As the kernel prints it; addresses in words whose lowest byte is first. */
const row = (local: string, remote: string, state: string, uid: number, inode: number): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 ${uid}        0 ${inode} 1 0 20 4 30 10 -1`;

const [ours, peer] = [
  { address: '10.0.0.5', port: 8000 },
  { address: '127.0.0.1', port: 40_000 },
] as const;
/** From 127.0.0.1:40000 to 10.0.0.5:8000. */
const theirs = (state: string, uid: number, inode = 7): string =>
  row('0100007F:9C40', '0500000A:1F40', state, uid, inode);

test('of several connections from one address and port the one to our address is looked at', () => {
  const others = [
    row('0100007F:9C40', '0100007F:1F40', '01', 1000, 1),
    row('0200007F:9C40', '0500000A:1F40', '01', 1001, 2),
    row('0500000A:1F40', '0100007F:9C40', '01', 1002, 3),
    row('0100007F:9C40', '0500000A:1F41', '01', 1003, 4),
  ];
  assert.equal(findPeer(others, ours, peer), undefined);
  for (const state of ['01', '04', '05', '08', '09', '0B'])
    assert.equal(findPeer([...others, theirs(state, 54)], ours, peer), 54, state);
});

test('of two users, of a socket that nobody holds, and of one that waits, nobody is said', () => {
  assert.equal(findPeer([theirs('01', 54), theirs('01', 55, 8)], ours, peer), undefined);
  // Rows of a socket that its process has closed say uid 0 on many kernels.
  assert.equal(findPeer([theirs('05', 0, 0)], ours, peer), undefined);
  assert.equal(findPeer([theirs('06', 0)], ours, peer), undefined);
  assert.equal(findPeer([theirs('0A', 54)], ours, peer), undefined);
  // The table moves while it is read, and so a row may be read twice.
  assert.equal(findPeer([theirs('01', 54), theirs('01', 54)], ours, peer), 54);
});

test('addresses of IPv6 are compared, and those of IPv4 within them', () => {
  const mapped = row(
    '0000000000000000FFFF00000100007F:9C40',
    '0000000000000000FFFF00000500000A:1F40',
    '01',
    54,
    7,
  );
  assert.equal(findPeer([mapped], ours, peer), 54);
  assert.equal(findPeer([theirs('01', 54)], { ...ours, address: '::ffff:10.0.0.5' }, peer), 54);
  const six = row(
    '00000000000000000000000001000000:9C40',
    'B80D0120010000000000000005000000:1F40',
    '01',
    54,
    7,
  );
  const from = { address: '::1', port: 40_000 };
  assert.equal(findPeer([six], { address: '2001:db8:0:1::5', port: 8000 }, from), 54);
  assert.equal(findPeer([six], { address: '2001:db8:1::5', port: 8000 }, from), undefined);
  assert.equal(findPeer([six], { address: '2001:db8:0:1::5', port: 8000 }, peer), undefined);
});
