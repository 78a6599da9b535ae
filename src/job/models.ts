/** The three ways in which a run talks to its models, with the options that are in force. */
import { RagError } from '../errors.ts';
import { makeEmbed } from '../models/embed.ts';
import { makeGenerate } from '../models/generate.ts';
import type { OllamaHttp } from '../models/ollama-http.ts';
import { prefixesFor } from '../models/prefixes.ts';
import { makeRerank, type RerankChannel } from '../models/rerank.ts';
import type { Embed, Generate, Rerank, Roster } from '../models/types.ts';
import type { Instance, Plan } from '../plan/types.ts';
import type { Tree } from '../supervise/spec.ts';
import { embedDimensions, embedOptions, generateOptions } from './models-in-force.ts';
import type { Prepared } from './prepare.ts';

export interface Models {
  readonly embed: Embed;
  /** Undefined when the job does not generate. */
  readonly generate: Generate | undefined;
  /** Undefined when the job has no reranker. */
  readonly rerank: Rerank | undefined;
  readonly generateModel: string;
  /** How many servers embed. */
  readonly embedders: number;
}

export interface ModelsInput {
  readonly prepared: Pick<Prepared, 'plan' | 'settings'>;
  readonly roster: Roster;
  readonly http: OllamaHttp;
  readonly tree: Tree;
  /** Ends every request. */
  readonly signal: AbortSignal;
}

export function makeModels({
  prepared: { plan, settings },
  roster,
  http,
  tree,
  signal,
}: ModelsInput): Models {
  const embedModel = modelOf(plan, 'embed');
  const common = { roster, http, signal };
  const has = (wanted: Instance['role']): boolean => plan.instances.some(({ role }) => role === wanted);
  return {
    embed: makeEmbed({
      ...common,
      options: embedOptions(settings),
      dimensions: plan.engine === 'ollama' ? embedDimensions(settings, embedModel) : null,
      prefixes: prefixesFor(embedModel, settings.RAG_QUERY_INSTRUCTION),
    }),
    generate: has('generate') ? makeGenerate({ ...common, options: generateOptions }) : undefined,
    rerank: has('rerank') ? makeRerank({ channel: async () => readyChannel(tree, 'reranker') }) : undefined,
    generateModel: modelOf(plan, 'generate'),
    embedders: plan.instances.filter(({ role }) => role === 'embed').length,
  };
}

const modelOf = (plan: Plan, role: Instance['role']): string =>
  plan.instances.find((instance) => instance.role === role)?.model ?? 'none';

/** Now or never: a reranker that is being restarted degrades an answer instead of delaying it. */
function readyChannel(tree: Tree, id: string): RerankChannel {
  const channel = tree.running(id)?.channel;
  if (channel === undefined) throw new RagError('model-unavailable', `Cannot rerank: ${id} is not ready`);
  return channel;
}
