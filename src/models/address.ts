import { existsSync } from 'node:fs';
import { Agent, type Dispatcher } from 'undici';

/** Where requests to an address go, in the words of undici. */
export interface Way {
  readonly origin: string;
  readonly dispatcher: Dispatcher;
}

/** The open connections to model servers. Disposing it cuts what is still running. */
export interface Connections extends AsyncDisposable {
  /** @param address `http://HOST:PORT`, or `unix:` and the path of a socket */
  to(address: string): Way;
}

const scheme = 'unix:';

export const unixAddress = (socketPath: string): string => `${scheme}${socketPath}`;

/** Undefined for an address that is not a Unix socket's. */
export const socketPathOf = (address: string): string | undefined =>
  address.startsWith(scheme) ? address.slice(scheme.length) : undefined;

/** The servers compare the Host of a request with the names of this machine, against DNS rebinding. */
const localOrigin = 'http://localhost';

/**
 * @param options of every agent. `connect` is not among them: there it is said where a socket is
 * @param connectTimeoutMs for one connection
 */
export function openConnections(
  options: Omit<Agent.Options, 'connect'>,
  connectTimeoutMs: number = 10_000,
): Connections {
  const timeout = connectTimeoutMs;
  const tcp = new Agent({ ...options, connect: { timeout } });
  // An agent keeps its connections by origin, and all sockets have the same.
  const bySocket = new Map<string, Agent>();

  /** A server that is started again has a new socket, and its old one never comes back. */
  const forgetGone = (): void => {
    for (const [socketPath, agent] of bySocket) {
      if (existsSync(socketPath)) continue;
      bySocket.delete(socketPath);
      void agent.close();
    }
  };

  const agentOf = (socketPath: string): Agent => {
    const known = bySocket.get(socketPath);
    if (known !== undefined) return known;
    forgetGone();
    const agent = new Agent({ ...options, connect: { timeout, socketPath } });
    bySocket.set(socketPath, agent);
    return agent;
  };

  return {
    to(address) {
      const socketPath = socketPathOf(address);
      return socketPath === undefined
        ? { origin: address, dispatcher: tcp }
        : { origin: localOrigin, dispatcher: agentOf(socketPath) };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([tcp, ...bySocket.values()].map((agent) => agent.destroy()));
    },
  };
}
