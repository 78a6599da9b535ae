import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeOwner } from '../../src/disk/owner.ts';
import { openStateFile, readSupervisors } from '../../src/services/state-file.ts';

const folder = (): ReturnType<typeof mkdtempDisposable> => mkdtempDisposable(join(tmpdir(), 'rag-state-'));
const elsewhere = { ...makeOwner(), place: 'another node' };

async function until(
  path: string,
  holds: (state: { phase?: string; heartbeat: number }) => boolean,
): Promise<void> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined && holds(JSON.parse(text) as { heartbeat: number })) return;
  }
}

test('a state is written on change, again as a sign of life, and its last value when it ends', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'supervisors', '17.json');
  {
    await using file = await openStateFile({ path, beatMs: 20, gapMs: 0 });
    file.write({ phase: 'starting' });
    await until(path, ({ phase, heartbeat }) => phase === 'starting' && heartbeat > 2);
    file.write({ phase: 'ended' });
  }
  await until(path, ({ phase }) => phase === 'ended');
});

test('of many changes at once only the last is written', async () => {
  await using dir = await folder();
  const path = join(dir.path, '17.json');
  {
    await using file = await openStateFile({ path, gapMs: 60_000 });
    file.write({ phase: 'first' });
    await until(path, () => true);
    for (let i = 0; i < 100; i += 1) file.write({ phase: `change ${i}` });
  }
  const { phase, heartbeat } = JSON.parse(await readFile(path, 'utf8')) as {
    phase: string;
    heartbeat: number;
  };
  assert.deepEqual({ phase, heartbeat }, { phase: 'change 99', heartbeat: 2 });
});

test('written() resolves when the last state is on the disk, however short ago the one before was written', async () => {
  await using dir = await folder();
  const path = join(dir.path, '17.json');
  await using file = await openStateFile({ path, gapMs: 60_000 });
  await file.written();
  file.write({ phase: 'first' });
  await until(path, () => true);
  file.write({ phase: 'ready' });
  await file.written();
  const { phase, heartbeat } = JSON.parse(await readFile(path, 'utf8')) as {
    phase: string;
    heartbeat: number;
  };
  assert.deepEqual({ phase, heartbeat }, { phase: 'ready', heartbeat: 2 });
});

test('a disk that refuses the state is told of and ends nothing', async () => {
  await using dir = await folder();
  const errors: unknown[] = [];
  {
    await using file = await openStateFile({
      path: join(dir.path, 'x'.repeat(300)),
      onError: (error) => errors.push(error),
    });
    file.write({ phase: 'starting' });
  }
  assert.equal((errors[0] as NodeJS.ErrnoException).code, 'ENAMETOOLONG');
});

test('readSupervisors() tells running, ended and gone apart', async () => {
  await using dir = await folder();
  const put = (name: string, state: object): Promise<void> =>
    writeFile(join(dir.path, `${name}.json`), JSON.stringify({ heartbeat: 1, ...state }));
  await put('here', { phase: 'answering', owner: makeOwner() });
  await put('killed', { phase: 'answering', owner: { ...makeOwner(), started: 1 } });
  await put('ended', { phase: 'ended', owner: elsewhere });
  await put('elsewhere', { phase: 'ingest', owner: elsewhere });
  await writeFile(join(dir.path, 'torn.json'), '{');
  const presence = async (now: Date): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await readSupervisors(dir.path, now)).map((record) => [record.name, record.presence]),
    );
  assert.deepEqual(await presence(new Date()), {
    here: 'running',
    killed: 'gone',
    ended: 'ended',
    elsewhere: 'running',
  });
  assert.equal((await presence(new Date(Date.now() + 130_000)))['elsewhere'], 'gone');
  assert.deepEqual(await readSupervisors(join(dir.path, 'none'), new Date()), []);
});
