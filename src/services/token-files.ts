/** Tokens as files, which other nodes and the people of a group read: never an argument, never in a log. */
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../disk/atomic.ts';
import { messageOf, RagError } from '../errors.ts';
import { askProgram } from '../machine/question.ts';

export interface TokenFiles extends AsyncDisposable {
  readonly header: string;
  readonly url: string;
}

export interface TokenFilesOptions {
  /** RAG_RUNTIME_STATE. */
  readonly folder: string;
  /** Names the supervisor: job, task, node. */
  readonly name: string;
  readonly tokens: { readonly header: string; readonly url: string };
  /** RAG_SHARE_GROUP: its members may read them. */
  readonly group: string | undefined;
  readonly signal: AbortSignal;
}

/** Disposing removes the files. @throws settings for a group that cannot be given anything, disk-full */
export async function openTokenFiles(options: TokenFilesOptions): Promise<TokenFiles> {
  const { folder, name, tokens, group, signal } = options;
  const place = join(folder, 'tokens');
  await mkdir(place, { recursive: true, mode: 0o700 });
  const gid = group === undefined ? undefined : await findGroup(group, signal);
  const files = { header: join(place, `${name}.token`), url: join(place, `${name}.url-token`) };
  const remove = async (): Promise<void> => {
    await Promise.all(Object.values(files).map((file) => rm(file, { force: true })));
  };
  try {
    if (gid !== undefined) {
      await share(folder, gid, 0o750);
      await share(place, gid, 0o750);
    }
    for (const kind of ['header', 'url'] as const) {
      await writeAtomic(files[kind], `${tokens[kind]}\n`);
      if (gid !== undefined) await share(files[kind], gid, 0o640);
    }
  } catch (cause) {
    await remove();
    if (group === undefined) throw cause;
    throw new RagError(
      'settings',
      `Cannot share with the group ${group}: ${messageOf(cause)}, a group of yours and a folder of yours are wanted`,
      { hint: `id -Gn   # your groups; ls -ld ${folder}`, cause },
    );
  }
  return { ...files, [Symbol.asyncDispose]: remove };
}

/** The group first: for a moment too few may read it, never too many. */
async function share(path: string, gid: number, mode: number): Promise<void> {
  await chown(path, process.getuid?.() ?? -1, gid);
  await chmod(path, mode);
}

/** Groups of clusters live in a directory service, which /etc/group does not know. */
async function findGroup(name: string, signal: AbortSignal): Promise<number> {
  const answer = await askProgram(['getent', 'group', name], { timeoutMs: 10_000, signal });
  const gid = answer.outcome === 'answered' ? Number(answer.stdout.split(':')[2]) : Number.NaN;
  if (Number.isInteger(gid)) return gid;
  throw new RagError(
    'settings',
    `Cannot share with the group ${name}: there is no such group, one of yours is wanted`,
    {
      hint: 'id -Gn',
    },
  );
}
