/** The address by which other nodes of the cluster reach this one. */
import { lookup } from 'node:dns/promises';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { RagError } from '../errors.ts';

/**
 * What the cluster's name of this node resolves to, when that is an address of this machine; else its first address
 * that is not loopback (Debian resolves a host's own name to 127.0.1.1).
 *
 * @throws settings when the machine has no other address than loopback
 */
export async function clusterAddress(node: string): Promise<string> {
  const named = await lookup(node, { all: true }).catch(() => []);
  const address = chooseAddress(
    named.map((each) => each.address),
    Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []),
  );
  if (address !== undefined) return address;
  throw new RagError(
    'settings',
    `Cannot listen on the cluster's network: ${node} has no address but loopback`,
    {
      hint: 'unset RAG_BIND',
    },
  );
}

/** IPv4 before IPv6: not every client can write an address with brackets. */
export function chooseAddress(
  named: readonly string[],
  own: readonly Pick<NetworkInterfaceInfo, 'address' | 'family' | 'internal'>[],
): string | undefined {
  const reachable = own.filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
  const byName = reachable.filter(({ address }) => named.includes(address));
  const first = (all: typeof reachable): string | undefined =>
    (all.find(({ family }) => family === 'IPv4') ?? all[0])?.address;
  return first(byName) ?? first(reachable);
}
