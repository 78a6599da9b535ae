import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { codeOf } from '../../../src/errors.ts';
import { openForkedStore, scratchFolder } from '../forked-host.ts';
import { encoder, rowsOf, vectorOf } from '../samples.ts';

test('a host whose index was replaced by one of another encoder neither answers from it nor writes into it', async () => {
  await using scratch = await scratchFolder();
  const [old, fresh] = [path.join(scratch.path, 'index'), path.join(scratch.path, 'fresh')];
  await using host = await openForkedStore(old);
  await host.store.beginWriting(encoder, 'old');
  await host.store.append(rowsOf({ key: 'a', texts: ['alpha'] }));
  await host.store.consolidate();
  const other = { ...encoder, model: 'other', digest: 'sha256:2' };
  {
    await using second = await openForkedStore(fresh);
    await second.store.beginWriting(other, 'fresh');
    await second.store.append(rowsOf({ key: 'a', texts: ['alpha'] }));
    await second.store.consolidate();
  }
  assert.equal((await host.store.searchDense([vectorOf('alpha')], 1))[0]?.length, 1);
  renameSync(old, `${old}.before`);
  renameSync(fresh, old);
  const refused = (error: unknown): boolean => codeOf(error) === 'index-mismatch';
  await assert.rejects(host.store.append(rowsOf({ key: 'b', texts: ['beta'] })), refused);
  await host.store.consolidate(); // forgets the view: five seconds would do it too
  await assert.rejects(host.store.searchDense([vectorOf('alpha')], 1), refused);
});
