import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { checkAddress, readAddress, remoteService } from '../../../src/job/services/remote-service.ts';

test('an address is read as the tools of Ollama read it', () => {
  assert.equal(readAddress('node17'), 'http://node17:11434');
  assert.equal(readAddress('node17:80'), 'http://node17');
  assert.equal(readAddress('http://10.0.0.7:4000/'), 'http://10.0.0.7:4000');
  assert.equal(readAddress('https://models.example.org/ollama/'), 'https://models.example.org/ollama');
  assert.equal(readAddress('[fd00::1]'), 'http://[fd00::1]:11434');
  assert.throws(() => readAddress('not an address'), { code: 'settings' });
});

test('a token in an address is not in what names it to people', async () => {
  const url = `http://10.0.0.7:4000/t/${'x'.repeat(43)}`;
  const service = await remoteService(
    { OLLAMA_HOST: url },
    { folder: '/', node: 'node1' },
    AbortSignal.timeout(1000),
  );
  assert.deepEqual([service?.url, service?.name], [url, 'http://10.0.0.7:4000/t/...']);
  assert.throws(() => readAddress(`::/t/${'x'.repeat(43)}`), /=::\/t\/\.\.\.:/);
});

test('an address where nothing answers, or nothing says a word, is said before anything starts', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const at = (port: number) => ({ url: `http://127.0.0.1:${port}`, tokenFile: undefined, name: 'here' });
  const signal = AbortSignal.timeout(10_000);
  await assert.rejects(checkAddress(at(port), signal, 50), {
    code: 'preflight',
    message: /nothing answers there \(it is silent for/,
  });
  silent.close();
  await assert.rejects(checkAddress(at(port), signal), {
    code: 'preflight',
    message: /OLLAMA_HOST=here: nothing answers there .*ECONNREFUSED/,
    hint: /^unset OLLAMA_HOST/,
  });
  // One that was published has proven itself.
  await checkAddress({ ...at(port), tokenFile: '/token' }, signal);
});
