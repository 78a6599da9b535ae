import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { load } from '../../../src/config/load.ts';
import { checkReranker } from '../../../src/job/prepare/check-reranker.ts';
import { planFor } from '../../../src/job/prepare/plan-for.ts';
import { readJob } from '../../../src/slurm/job.ts';
import { watchLeaks } from '../../leaks.ts';
import { fakePython } from '../../services/sidecar-bench.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const folder = await mkdtempDisposable(path.join(tmpdir(), 'check-'));
after(() => folder.remove());

async function check(given: Readonly<Record<string, string>>, beforeWorkload = false): Promise<void> {
  const environment = {
    PATH: process.env['PATH'],
    HOME: folder.path,
    RAG_ENGINE: 'embedded',
    RERANKER_PYTHON: fakePython,
    ...given,
  };
  const { settings } = load({ flags: {}, environment });
  const job = readJob(environment);
  const intent = { kind: 'given', inputs: [], query: 'q' } as const;
  const plan = planFor(settings, environment, job, intent);
  await checkReranker({ plan, settings, environment, job, beforeWorkload }, AbortSignal.timeout(10_000));
}

test('a model folder that is there, and a Python that has what it needs, are good', async () => {
  await check({ RERANKER_MODEL_PATH: folder.path });
});

test('a model folder that is not there is said with its name', async () => {
  await assert.rejects(check({ RERANKER_MODEL_PATH: '/no/such/model' }), {
    code: 'preflight',
    message: 'Cannot read the reranker /no/such/model: no such folder, one is wanted',
    hint: 'ls /no/such/model',
  });
});

test('a Python without torch is said with what mends it', async () => {
  const fault = { RERANKER_MODEL_PATH: folder.path, FAKE_SIDECAR: 'fatal' };
  await assert.rejects(check(fault), { code: 'preflight', hint: 'pip install torch transformers' });
});

test('a Python that is not there, or says nothing, is said', async () => {
  for (const RERANKER_PYTHON of ['/no/python', '/bin/true'])
    await assert.rejects(check({ RERANKER_MODEL_PATH: folder.path, RERANKER_PYTHON }), {
      code: 'preflight',
      hint: /RERANKER_PYTHON/,
    });
});

test('a server is asked a question, and one that is not there is said', async () => {
  const server = createServer((_, response) => {
    response.end('[{"index":0,"score":0.9},{"index":1,"score":0.1}]');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const RERANKER_URL = `http://127.0.0.1:${port}`;
  await check({ RERANKER_URL });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(check({ RERANKER_URL }), { code: 'preflight', hint: /curl/ });
  // It may be the program that the job is for.
  await check({ RERANKER_URL }, true);
});

test('a key that cannot be read, or is none, is said without what is in it', async () => {
  const keyFile = path.join(folder.path, 'key');
  const given = { RERANKER_URL: 'http://127.0.0.1:9', RERANKER_KEY_FILE: keyFile };
  await assert.rejects(check(given), { code: 'preflight', message: /RERANKER_KEY_FILE/ });
  await writeFile(keyFile, 'two words\nand lines', { mode: 0o600 });
  await assert.rejects(
    check(given),
    ({ message }: Error) => /no key/u.test(message) && !/two/u.test(message),
  );
});
