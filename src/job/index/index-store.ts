/** An index without a run: a store host of its own and nothing else. */
import { join } from 'node:path';

import type { Environment } from '../../config/load.ts';
import { storeHostSpec } from '../../services/store-host.ts';
import { openStore } from '../../store/wire/client.ts';
import type { Store } from '../../store/types.ts';
import { startTree } from '../../supervise/tree.ts';
import { openFolders } from '../folders.ts';
import { untilChannel } from '../services/ready-children.ts';
import { definedOnly } from '../services/services.ts';
import { budget } from '../services/supervised.ts';

export async function withIndex<Out>(
  dir: string,
  environment: Environment,
  signal: AbortSignal,
  use: (store: Store) => Promise<Out>,
): Promise<Out> {
  await using folders = await openFolders(undefined, { job: 'index' }, environment['TMPDIR']);
  const spec = storeHostSpec({
    dir,
    graceMs: 5000,
    baseEnv: definedOnly(environment),
    cwd: folders.scratch,
    logFile: join(folders.logs, 'store.log'),
    supervisorId: `index.${process.pid}`,
  });
  await using tree = startTree([spec], { budget });
  await using store = openStore({ untilChannel: (wait) => untilChannel(tree, 'store', wait), signal });
  return await use(store);
}
