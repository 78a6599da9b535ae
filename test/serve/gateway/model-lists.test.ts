import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConnections } from '../../../src/models/address.ts';
import { askAny } from '../../../src/serve/gateway/model-lists.ts';
import { type Handler, upstream } from '../model-servers.ts';

const hangs: Handler = () => undefined;
const fails: Handler = (_request, response) => response.writeHead(500).end('<html>no</html>');
const works: Handler = (_request, response) => response.end('{"version":"0.33.0"}');

test('an instance that hangs or fails does not keep the next from being asked', async () => {
  await using one = await upstream(hangs);
  await using two = await upstream(fails);
  await using three = await upstream(works);
  await using connections = openConnections({});
  const signal = AbortSignal.timeout(10_000);
  const instances = [one, two, three].map(({ url }, at) => ({ id: String(at), url, model: 'm' }));
  const ask = (count: number) =>
    askAny(connections, instances.slice(0, count), { path: '/api/version' }, signal, 100);
  assert.deepEqual(await ask(3), { status: 200, type: 'application/json', text: '{"version":"0.33.0"}' });
  await assert.rejects(ask(2), { message: /none is up/ });
});
