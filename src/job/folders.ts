/** The folders of one run: logs that stay, and a private one on local disk that goes with it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { messageOf, RagError } from '../errors.ts';

export interface Folders extends AsyncDisposable {
  /** `$LOG_ROOT/<job>/` */
  readonly logs: string;
  /** 0700, on local disk: homes of model servers, the Unix socket. TMPDIR is shared by all jobs of a node. */
  readonly scratch: string;
}

/**
 * @param logRoot undefined: the logs go with the scratch folder
 * @throws preflight when a folder cannot be made
 */
export async function openFolders(
  logRoot: string | undefined,
  job: string,
  temporary: string = tmpdir(),
): Promise<Folders> {
  try {
    const scratch = await mkdtemp(join(temporary, `rag-${job}-`)); // 0700 by itself
    const logs = logRoot === undefined ? scratch : resolve(logRoot, job);
    await mkdir(logs, { recursive: true, mode: 0o700 });
    return { logs, scratch, [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }) };
  } catch (cause) {
    throw new RagError(
      'preflight',
      `Cannot make the folders of the run: ${messageOf(cause)}, a writable LOG_ROOT and TMPDIR are wanted`,
      {
        hint: 'export LOG_ROOT=$HOME/rag-logs TMPDIR=/tmp',
        cause,
      },
    );
  }
}
