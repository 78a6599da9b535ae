/** The folders of one run: logs that stay, and a private one on local disk that goes with it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf, RagError } from '../errors.ts';
import { openScratch } from '../disk/scratch.ts';

export interface Folders extends AsyncDisposable {
  /** `$LOG_ROOT/<job>/`, with the node below it where the job has several; of a second supervisor with `.2`. */
  readonly logs: string;
  /** 0700, on local disk: homes of model servers, the Unix socket. TMPDIR is shared by all jobs of a node. */
  readonly scratch: string;
}

export interface RunPlace {
  readonly job: string;
  /** Where the job has several: their supervisors would write into each other's files. */
  readonly node?: string | undefined;
  /** Which one it is of several of the job on one node, for the same reason; undefined for the first. */
  readonly beside?: string | undefined;
}

const suffixOf = ({ beside }: RunPlace): string => (beside === undefined ? '' : `.${beside}`);

/**
 * @param logRoot undefined: the logs go with the scratch folder
 * @param temporary TMPDIR, as given
 * @throws preflight when a folder cannot be made
 */
export async function openFolders(
  logRoot: string | undefined,
  place: RunPlace,
  temporary: string | undefined,
): Promise<Folders> {
  try {
    // The logs first: if they cannot be had, nothing is left behind.
    const own =
      logRoot === undefined ? undefined : `${join(logRoot, place.job, place.node ?? '.')}${suffixOf(place)}`;
    if (own !== undefined) await mkdir(own, { recursive: true, mode: 0o700 });
    const scratch = await openScratch(place.job, temporary);
    const logs = own ?? scratch.folder;
    return { logs, scratch: scratch.folder, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() };
  } catch (cause) {
    if (cause instanceof RagError) throw cause;
    throw new RagError(
      'preflight',
      `Cannot make the folders of the run: ${messageOf(cause)}, a writable LOG_ROOT and TMPDIR are wanted`,
      { hint: 'export LOG_ROOT=$HOME/rag-logs TMPDIR=/tmp', cause },
    );
  }
}
