/** How the processes of a child are kept from outliving us: what was wanted, what this machine can do. */
import { askProgram } from '../machine/question.ts';
import { deathSignalPrefix, findProgram } from './death-signal.ts';
import { type NamespaceFlags, namespacePrefix, userFlags } from './namespace.ts';
import { never } from './pause.ts';
import type { ChildSpec, Isolation } from './spec.ts';

/** A guard stands in both modes; `pidns` closes its gap. */
export type ContainmentMode = 'pidns' | 'guard';

export interface Containment {
  readonly mode: ContainmentMode;
  /** Whether a child that asks for a network of its own gets one. */
  readonly network: 'private' | 'shared';
  /** What of these is missing, and why. Null when nothing is. */
  readonly reason: string | null;
  /** False where the machine has no program that asks the kernel for a death signal. */
  readonly deathSignal: boolean;
  /** The command as it is to be spawned. */
  wrap(spec: Pick<ChildSpec, 'isolation' | 'deathSignal'>, command: readonly string[]): Promise<Wrapped>;
}

export interface Wrapped {
  readonly command: readonly string[];
  /** The spawned process is the keeper of namespaces, not the program. */
  readonly contained: boolean;
}

export interface ProbeOptions {
  readonly wanted: 'auto' | ContainmentMode;
  /** PATH of the children. */
  readonly path: string;
  /**
   * A command that must print the same inside as outside, or namespaces are not used: what sees the GPUs, where
   * there are some.
   */
  readonly trial?: readonly [string, ...string[]];
  /** Ends the probe; what it then tells is of no use. */
  readonly signal?: AbortSignal;
}

/** A driver that has to initialise its cards first takes seconds. */
const trialMs = 30_000;
const probeMs = 10_000;

/** No namespaces; the death signal where the machine has it. Nothing is tried before the first child. */
export const withoutNamespaces = (
  path: string,
  reason: string | null = null,
  deathSignal = true,
): Containment => ({
  mode: 'guard',
  network: 'shared',
  reason,
  deathSignal,
  wrap: async (spec, command) => ({
    command: [...(await deathSignalPrefix(spec.deathSignal, path)), ...command],
    contained: false,
  }),
});

/** Tries, once, what the kernel, the site and the installed programs allow. Takes some 30 ms without a trial. */
export async function probeContainment(options: ProbeOptions): Promise<Containment> {
  const { wanted, path, trial, signal = never } = options;
  const dies = await deathSignalPrefix('SIGKILL', path);
  const guard = (reason: string | null): Containment => withoutNamespaces(path, reason, dies.length > 0);
  if (wanted === 'guard') return guard('RAG_CONTAINMENT=guard');
  if (process.platform !== 'linux') return guard('there are no namespaces on this system');
  if (dies.length === 0) return guard('neither setpriv nor perl nor python3 can ask for a death signal');
  const found = await findFlags(dies, path, signal);
  if ('reason' in found) return guard(found.reason);
  const different = trial === undefined ? null : await whyDifferent(dies, inside(found), trial, signal);
  if (different !== null) return guard(different);
  const whyShared = await whyNot([...dies, ...inside(found, 'network'), 'true'], signal);
  return {
    mode: 'pidns',
    network: whyShared === null ? 'private' : 'shared',
    reason: whyShared === null ? null : `no network namespace: ${whyShared}`,
    deathSignal: true,
    wrap: async (spec, command) => {
      if (spec.isolation === 'none')
        return {
          command: [...(await deathSignalPrefix(spec.deathSignal, path)), ...command],
          contained: false,
        };
      const isolation = whyShared === null ? spec.isolation : 'processes';
      return { command: [...dies, ...namespacePrefix(found, isolation), ...command], contained: true };
    },
  };
}

const inside = (
  flags: NamespaceFlags,
  isolation: Exclude<Isolation, 'none'> = 'processes',
): readonly string[] => namespacePrefix(flags, isolation);

async function findFlags(
  dies: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<NamespaceFlags | { readonly reason: string }> {
  const unshare = findProgram('unshare', path);
  if (unshare === undefined) return { reason: 'there is no unshare' };
  let reason: string | undefined;
  for (const user of userFlags)
    for (const proc of [['--mount-proc'], []] as const) {
      const flags: NamespaceFlags = { unshare, user, proc, drop: await findDrop(user, path, signal) };
      const why = await whyNot([...dies, ...inside(flags), 'true'], signal);
      if (why === null) return flags;
      reason ??= `${why} (user namespaces may be switched off here)`;
    }
  return { reason: reason ?? 'unshare cannot be run' };
}

async function findDrop(
  user: NamespaceFlags['user'],
  path: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const setpriv = findProgram('setpriv', path);
  if (setpriv === undefined || user[0] === '--map-root-user') return [];
  const drop = [setpriv, '--inh-caps=-all', '--ambient-caps=-all', '--'];
  return (await whyNot([...drop, 'true'], signal)) === null ? drop : [];
}

/** Null when the command works. */
async function whyNot(command: readonly string[], signal: AbortSignal): Promise<string | null> {
  const answer = await askProgram(command, { timeoutMs: probeMs, signal });
  return answer.outcome === 'failed' ? answer.why : null;
}

async function whyDifferent(
  dies: readonly string[],
  namespaces: readonly string[],
  trial: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<string | null> {
  const options = { timeoutMs: trialMs, signal };
  const outside = await askProgram([...dies, ...trial], options);
  // It does not work outside either: it says nothing about namespaces.
  if (outside.outcome === 'failed') return null;
  const within = await askProgram([...dies, ...namespaces, ...trial], options);
  if (within.outcome === 'answered' && within.stdout === outside.stdout) return null;
  const why = within.outcome === 'failed' ? within.why : 'less or other GPUs';
  return `\`${trial.join(' ')}\` says something else inside a namespace: ${why}`;
}
