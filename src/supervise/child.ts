import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { startTimeOf } from '../machine/processes.ts';
import { openFrames, openIpc, type OwnedChannel } from './channel.ts';
import type { Containment } from './containment.ts';
import type { Group } from './group.ts';
import type { LogFile } from './log-file.ts';
import type { ChildSpec, ExitStatus, Launch, Report, Running } from './spec.ts';

/** A spawned child. It leads a session and a process group of its own. */
export interface Child extends Running {
  readonly group: Group;
  readonly channel: OwnedChannel | undefined;
  /** Resolves on 'exit', never on 'close': a grandchild that holds stdout delays 'close' for as long as it lives. */
  readonly exited: Promise<ExitStatus>;
}

/** Where a child writes to, and what of it can be read again. */
export interface Output extends Pick<LogFile, 'fd' | 'tail'> {
  /** For stderr; the same as `fd` when there is none. */
  readonly errorFd?: number;
}

interface Around {
  readonly containment: Containment;
  readonly report: Report;
  /** Open until the group is empty. */
  readonly log: Output;
}

/**
 * One start. The program gets a file for its output (and, by kind of channel, pipes for its messages), the
 * environment of the launch with a mark of this start, and nothing else.
 *
 * @throws a plain error when nothing can be spawned (worth another try), `signal.reason` when aborted before
 */
export async function startChild(
  spec: Pick<ChildSpec, 'id' | 'channel' | 'isolation' | 'deathSignal'>,
  launch: Launch,
  { containment, report, log }: Around,
  signal: AbortSignal,
): Promise<Child> {
  const { command, contained } = await containment.wrap(spec, launch.command);
  signal.throwIfAborted();
  // execa takes any descriptor; its types know 3 to 9.
  const output = log.fd as 3;
  const errors = (log.errorFd ?? log.fd) as 3;
  const [file = '', ...rest] = command;
  const frames = spec.channel === 'frames';
  const name = `${spec.id}.${randomBytes(4).toString('hex')}`;
  const subprocess = execa(file, rest, {
    cwd: launch.cwd,
    env: { ...launch.env, SUPERVISED_AS: name },
    extendEnv: false,
    stdio: frames ? ['pipe', 'pipe', errors] : ['ignore', output, errors],
    ipc: spec.channel === 'ipc',
    serialization: 'advanced',
    // Of execa only the spawn: its buffer ends a child at 100 MB of output, its escalation to KILL is cancelled
    // when the leader dies first, its cleanup has no time to wait. Stopping is ours (group.ts).
    buffer: false,
    reject: false,
    cleanup: false,
    detached: true,
  });
  const { pid, nodeChildProcess } = subprocess;
  if (pid === undefined) {
    const { originalMessage } = await subprocess;
    throw new Error(originalMessage ?? `${launch.command[0]} cannot be spawned in ${launch.cwd}`);
  }
  // A namespace needs no mark: nothing leaves it.
  const mark = contained ? undefined : `SUPERVISED_AS=${name}`;
  return {
    pid,
    launch,
    group: { pgid: pid, leaderStart: startTimeOf(pid), contained, mark },
    channel: openChannel(spec.channel, nodeChildProcess, report),
    exited: new Promise((resolve) =>
      nodeChildProcess.once('exit', (code, signal) => resolve({ code, signal })),
    ),
    logTail: (lines) => log.tail(lines),
  };
}

function openChannel(
  kind: ChildSpec['channel'],
  child: ChildProcess,
  report: Report,
): OwnedChannel | undefined {
  if (kind === 'ipc') return openIpc(child);
  if (child.stdin === null || child.stdout === null) return undefined;
  return openFrames(child.stdin, child.stdout, (reason) => report('nonsense', { reason }));
}
