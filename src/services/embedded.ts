import { siblingPath } from '../sibling.ts';
import type { ChildSpec } from '../supervise/spec.ts';
import { serverSpec } from './ollama.ts';
import type { ServerOptions } from './ollama.ts';

export type EmbeddedOptions = Omit<
  ServerOptions,
  'command' | 'model' | 'modelsDir' | 'gpus' | 'dimensions' | 'allowCpu'
>;

/** Ollama's stand-in without a model, started, proven and restarted by the same code. */
export const embeddedSpec = (options: EmbeddedOptions): ChildSpec =>
  serverSpec({
    ...options,
    command: [process.execPath, siblingPath(import.meta.url, 'embedded/server')],
    model: options.role === 'embed' ? 'embedded-hashing' : 'embedded-extractive',
    modelsDir: null,
    gpus: [],
    dimensions: null,
    allowCpu: true,
  });
