/**
 * A process that hides from every list (a session of its own, an emptied environment, a double fork) cannot hide
 * from the kernel: when the first process of a pid namespace ends, all others in it are killed. No root is needed
 * where the site allows user namespaces.
 */
import type { Isolation } from './spec.ts';

/** How this machine's `unshare` makes namespaces, found by trying. */
export interface NamespaceFlags {
  readonly unshare: string;
  /** `--keep-caps` lets an ordinary user bring up his loopback; older versions can only play root for that. */
  readonly user: readonly ['--map-current-user', '--keep-caps'] | readonly ['--map-root-user'];
  /** A /proc of its own; containers with a masked /proc refuse it. */
  readonly proc: readonly ['--mount-proc'] | readonly [];
  /** Takes the kept capabilities away again. Empty where setpriv is missing or too old. */
  readonly drop: readonly string[];
}

/** util-linux from 2.36 on, and what RHEL 8 has (2.32). */
export const userFlags: readonly NamespaceFlags['user'][] = [
  ['--map-current-user', '--keep-caps'],
  ['--map-root-user'],
];

/**
 * The first process of the namespace: waits for the command, reaps whoever is orphaned meanwhile (a shell waits
 * for any child), and ends with its exit code, or 128 + n after signal n. The kernel lets no signal but KILL
 * reach it, so a TERM to the group is for the command alone.
 *
 * A new network namespace has a loopback that is down. Not every node has `ip`.
 */
const init = String.raw`
up() (
  PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
  exec 2>/dev/null
  ip link set lo up || ifconfig lo up ||
  perl -e 'socket($s, 2, 2, 0) && ioctl($s, 0x8914, pack("a16 s x22", "lo", 1)) or exit 1' ||
  python3 -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(type=socket.SOCK_DGRAM), 0x8914, struct.pack("16sh22x", b"lo", 1))'
)
[ "$0" != network ] || up || { echo "the loopback of the namespace cannot be brought up" >&2; exit 97; }
"$@"
exit $?
`;

/**
 * Slurm sends the wall-time warning to all processes below a task of a step: the keeper must not die of it, and whoever
 * is started under it does not either, unless he resets it.
 */
const deaf = ['/bin/sh', '-c', `trap '' USR2; exec "$@"`, 'sh'];

/**
 * What to put before a command so that it lives in namespaces of its own. The process that is spawned stays
 * outside, as their keeper: its death, however it comes, is the end of all inside, and it has their exit code.
 */
export const namespacePrefix = (
  { unshare, user, proc, drop }: NamespaceFlags,
  isolation: Exclude<Isolation, 'none'>,
): readonly string[] => [
  ...deaf,
  unshare,
  '--user',
  ...user,
  '--pid',
  '--fork',
  '--kill-child',
  ...proc,
  ...(isolation === 'network' ? ['--net'] : []),
  '--',
  '/bin/sh',
  '-c',
  init,
  isolation,
  ...drop,
];
