/** Somebody else answers as an Ollama on the port that the user named. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fault } from './fault.ts';
import { ask, serve } from './program.ts';

fault({ list: 10, fault: 'a foreign Ollama has the port', of: 'program' }, async (world) => {
  let asked = 0;
  const foreign = createServer((_, response) => {
    asked += 1;
    response.end('{"version":"0.0.1","models":[]}');
  }).listen(0, '127.0.0.1');
  await once(foreign, 'listening');
  const { port } = foreign.address() as AddressInfo;
  try {
    const since = performance.now();
    const serving = await serve(world, { env: { OLLAMA_PORT: String(port) } });
    const ms = performance.now() - since;
    const { status, text } = await ask(world, `${serving.url()}/api/version`);
    assert.deepEqual([status, JSON.parse(text)], [200, { version: '0.33.0' }]);
    assert.equal(asked, 0, 'the foreign one was asked');
    serving.signal('SIGTERM');
    assert.equal((await serving.ended).code, 0);
    return { outcome: 'goes on', ms, detail: 'another port, or one in a network of its own' };
  } finally {
    foreign.closeAllConnections();
    foreign.close();
    await once(foreign, 'close');
  }
});
