/** What the state says of containment. */
import type { Plan } from '../../plan/types.ts';
import type { Containment } from '../../supervise/containment.ts';
import type { Guard } from '../../supervise/guard.ts';
import type { StatusInput } from '../shown/status.ts';

interface InForce {
  readonly guard: Pick<Guard, 'pid'>;
  readonly containment: Pick<Containment, 'mode' | 'network' | 'reason' | 'deathSignal'>;
}

/** @param inForce null: as long as nothing has been started, nothing is contained */
export function describeContainment(
  inForce: InForce | null,
  ollamaPort: number,
  engine: Plan['engine'],
): StatusInput['containment'] {
  const isRemote = engine === 'remote';
  if (inForce === null)
    return {
      containment: 'unknown',
      network: isRemote ? 'remote' : 'shared',
      containment_reason: null,
    };
  const { mode, reason, deathSignal } = inForce.containment;
  const isGuarded = inForce.guard.pid() !== undefined;
  // Who asks for a port gets one, and with it everybody on the node.
  const isAsked = ollamaPort > 0 && !isRemote;
  const network = isAsked ? 'shared' : inForce.containment.network;
  const withoutGuard = deathSignal ? 'death-signal' : 'none';
  const guard = isGuarded ? 'guard' : withoutGuard;
  // In namespaces of processes the reason is one of the network's, which nothing needs here then.
  const why = isRemote && mode === 'pidns' ? null : (reason ?? (isAsked ? 'OLLAMA_PORT is set' : null));
  return {
    containment: mode === 'pidns' ? 'pidns' : guard,
    network: isRemote ? 'remote' : network,
    containment_reason: mode === 'guard' && !isGuarded ? 'no guard stands' : why,
  };
}
