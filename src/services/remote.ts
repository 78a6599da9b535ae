import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ChildSpec } from '../supervise/spec.ts';
import type { FoundService } from './find-service.ts';
import { type ServerOptions, serverSpec } from './ollama.ts';
import { nextSocket, relayCommand } from './private-network.ts';

export type RemoteOptions = Omit<ServerOptions, 'command' | 'modelsDir' | 'gpus' | 'allowCpu' | 'network'> & {
  readonly service: FoundService;
};

/** A model server that runs elsewhere, proven and watched like our own; what is started is the way to it. */
export function remoteSpec({ service, ...options }: RemoteOptions): ChildSpec {
  const home = path.join(options.stateDir, options.id);
  const spec = serverSpec({
    ...options,
    command: [process.execPath],
    modelsDir: null,
    gpus: null,
    allowCpu: true,
    network: 'shared',
  });
  let launches = 0;
  return {
    ...spec,
    isolation: 'none',
    deathSignal: 'SIGKILL',
    launch: async () => {
      await mkdir(home, { recursive: true, mode: 0o700 });
      const socket = await nextSocket(home, (launches += 1));
      const env = { ...options.baseEnv, RAG_SUPERVISOR_ID: options.supervisorId };
      return { command: relayCommand(socket, service), env, cwd: home };
    },
  };
}
