/** Every folder that a run writes to: whether it can, on what file system, with how much room, by which clock. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { nowByDisk } from '../disk/age.ts';
import { messageOf } from '../errors.ts';
import { failure, type Finding, type Look, ok, warning } from './types.ts';

const settings = ['RAG_WORKING_DIR', 'RAG_RUNTIME_STATE', 'LOG_ROOT'] as const;
type FolderSetting = (typeof settings)[number];

export const lookAtFolders: Look = async (patient) => {
  const findings: Finding[] = [];
  for (const name of settings) findings.push(...(await lookAtFolder(name, patient.settings)));
  return [...findings, await lookAtScratch(patient.environment['TMPDIR'] ?? '/tmp')];
};

async function lookAtFolder(name: FolderSetting, values: Settings): Promise<Finding[]> {
  const wanted = values[name];
  let there: string;
  let probe: string;
  try {
    there = await nearest(wanted);
    probe = join(there, `.rag-doctor-${randomUUID()}`);
    await mkdir(probe, { mode: 0o700 });
  } catch (error) {
    return [
      failure(
        name,
        `${wanted} cannot be written: ${messageOf(error)}`,
        `export ${name}=$HOME/rag   # a folder of yours`,
      ),
    ];
  }
  try {
    return judgeFolder(name, wanted, await lookInside(probe, there));
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** Of a path that is not there yet the folder in which it will be made. @throws when something else stands in its way */
async function nearest(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (found?.isDirectory() === false) throw new Error(`${path} is no folder`);
  return found === undefined && dirname(path) !== path ? nearest(dirname(path)) : path;
}

export interface FolderState {
  /** As the kernel names it: `nfs4`, `lustre`, `ext4`. */
  readonly kind: string;
  readonly freeBytes: number;
  /** Null where the file system does not count them. */
  readonly freeInodes: number | null;
  /** What it cannot do of what the program needs. */
  readonly lacks: readonly string[];
  /** The disk's clock minus ours. */
  readonly clockMs: number;
  /** Whether anybody may write there. */
  readonly isPublic: boolean;
}

async function lookInside(probe: string, folder: string): Promise<FolderState> {
  const { bavail, bsize, ffree, files } = await statfs(folder);
  const before = Date.now();
  const clock = await nowByDisk(probe);
  return {
    kind: kindOf(folder, await readFile('/proc/self/mounts', 'utf8').catch(() => '')),
    freeBytes: bavail * bsize,
    freeInodes: files === 0 ? null : ffree,
    lacks: await lackingIn(probe),
    clockMs: clock - (before + Date.now()) / 2,
    isPublic: ((await stat(folder)).mode & 0o002) !== 0,
  };
}

/** @param mounts lines of /proc/self/mounts; the mount that covers the path longest is the one it lies on */
export function kindOf(path: string, mounts: string): string {
  const covers = (place: string): boolean =>
    path === place || path.startsWith(place === '/' ? '/' : `${place}/`);
  let best = { place: '', kind: 'unknown' };
  for (const line of mounts.split('\n')) {
    const [, place = '', kind = ''] = line.split(' ').map((word) => word.replaceAll('\\040', ' '));
    if (covers(place) && place.length >= best.place.length) best = { place, kind };
  }
  return best.kind;
}

/** The steps on which publishing, claiming and committing rest. */
async function lackingIn(folder: string): Promise<string[]> {
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  await using file = await open(one, 'wx');
  const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['fsync', () => file.sync()],
    [
      'exclusive creation',
      () =>
        open(one, 'wx').then(
          async (twice) => {
            await twice.close();
            throw new Error('made twice');
          },
          () => undefined,
        ),
    ],
    [
      'hard links',
      async () => {
        await link(one, two);
        if ((await stat(one)).nlink < 2) throw new Error('not a link');
      },
    ],
    ['rename over a file', () => rename(two, join(folder, 'three'))],
  ];
  const lacks: string[] = [];
  for (const [name, step] of steps) await step().catch(() => void lacks.push(name));
  await unlink(one).catch(() => undefined);
  return lacks;
}

const gigabyte = 1e9;
/** A minute: what the takeover of a dead task's work tolerates without a thought is twice that. */
const skewMs = 60_000;

export function judgeFolder(name: string, path: string, state: FolderState): Finding[] {
  const room = `${(state.freeBytes / gigabyte).toFixed(1)} GB free`;
  const findings = [judgeRoom(name, `${path}: ${state.kind}, ${room}`, path, state)];
  if (state.lacks.length > 0)
    findings.push(
      failure(
        name,
        `${path}: its file system has no ${state.lacks.join(', no ')}`,
        `export ${name}=...   # on NFS, Lustre, BeeGFS or a local disk`,
      ),
    );
  if (Math.abs(state.clockMs) > skewMs)
    findings.push(
      warning(
        name,
        `${path}: the clock of its server is ${Math.round(state.clockMs / 1000)} s off ours; nothing breaks, but times in logs will not agree`,
      ),
    );
  if (state.isPublic)
    findings.push(warning(name, `${path}: anybody on the cluster may write there`, `chmod o-w ${path}`));
  return findings;
}

function judgeRoom(
  name: string,
  said: string,
  path: string,
  { freeBytes, freeInodes }: FolderState,
): Finding {
  const look = `df -h ${path}; df -i ${path}; quota -s`;
  if (freeBytes < gigabyte / 10 || (freeInodes !== null && freeInodes < 1000))
    return failure(name, `${said}, ${freeInodes ?? '?'} inodes free: it is full`, look);
  if (freeBytes < 10 * gigabyte || (freeInodes !== null && freeInodes < 10_000))
    return warning(name, `${said}: little room`, look);
  return ok(name, said);
}

/** Sockets and scratch files: on a local disk, short enough a path for a socket. */
async function lookAtScratch(folder: string): Promise<Finding> {
  const kind = kindOf(folder, await readFile('/proc/self/mounts', 'utf8').catch(() => ''));
  const found = await statfs(folder).catch(() => undefined);
  if (found === undefined) return failure('TMPDIR', `${folder} is not there`, 'unset TMPDIR');
  if (/nfs|lustre|gpfs|beegfs|fuse/.test(kind))
    return warning(
      'TMPDIR',
      `${folder} lies on ${kind}: sockets and scratch files belong on a local disk`,
      'export TMPDIR=/tmp',
    );
  return ok('TMPDIR', `${folder}: ${kind}, ${((found.bavail * found.bsize) / gigabyte).toFixed(1)} GB free`);
}
