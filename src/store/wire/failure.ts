import { messageOf, RagError } from '../../errors.ts';

/** Lance tells what went wrong only in words. */
const missing = /not found|no such file/i;
const unreadable =
  /failed to fill whole buffer|unexpected (?:end|eof)|out of bounds|invalid (?:magic|footer|file)|corrupt/i;
/** The codes of ENOSPC and EDQUOT are 28 and 122. */
const fullDisk = /no space left|quota exceeded|ENOSPC|EDQUOT|os error (?:28|122)\b/i;
/** EPERM, EACCES, EROFS, ENOTDIR. */
const noAccess =
  /permission denied|not permitted|read-only file system|not a directory|EACCES|EPERM|EROFS|ENOTDIR|os error (?:1|13|20|30)\b/i;

export const isMissingFile = (error: unknown): boolean => missing.test(messageOf(error));

/**
 * Runs `work` and names what it meets.
 * @throws index-damaged, disk-full, preflight; anything else as it is
 */
export async function namingFailure<Out>(root: string, work: () => Promise<Out>): Promise<Out> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof RagError ? cause : (nameOf(root, cause) ?? cause);
  }
}

function nameOf(root: string, cause: unknown): RagError | undefined {
  const said = messageOf(cause);
  const [line = ''] = said.split('\n');
  if (fullDisk.test(said)) {
    return new RagError('disk-full', `Cannot write into the index in ${root}: its disk or quota is full`, {
      hint: `Free space (df -h ${root}) and run it again: what was acknowledged is safe.`,
      cause,
    });
  }
  if (noAccess.test(said)) {
    return new RagError(
      'preflight',
      `Cannot use the index in ${root}: ${line}, a folder of yours is wanted`,
      {
        hint: `ls -ld ${root}   # or another --working-dir`,
        cause,
      },
    );
  }
  if (!missing.test(said) && !unreadable.test(said)) return undefined;
  return new RagError(
    'index-damaged',
    `Cannot read the index in ${root}: a file of it is missing or damaged (${line})`,
    {
      hint: `restore ${root} from a backup, or: mv ${root} ${root}.damaged   # and ingest again`,
      cause,
    },
  );
}
