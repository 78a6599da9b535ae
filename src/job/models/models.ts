/** The three ways in which a run talks to its models, with the options that are in force. */
import { makeEmbed } from '../../models/embed.ts';
import { makeGenerate } from '../../models/generate.ts';
import type { OllamaHttp } from '../../models/ollama-http.ts';
import { prefixesFor } from '../../models/prefixes.ts';
import type { Embed, Generate, Rerank, Roster } from '../../models/types.ts';
import type { Instance, Plan } from '../../plan/types.ts';
import { embedderIds } from './encoder.ts';
import { embedDimensions, embedOptions, generateOptions } from '../prepare/models-in-force.ts';
import type { Prepared } from '../prepare/prepare.ts';

export interface Models {
  /** Undefined where words alone are searched. */
  readonly embed: Embed | undefined;
  /** Whether the encoder reads the titles of passages too. */
  readonly titled: boolean;
  /** Undefined when the job does not generate. */
  readonly generate: Generate | undefined;
  /** Undefined when the job has no reranker. */
  readonly rerank: Rerank | undefined;
  readonly generateModel: string;
  /** How many servers embed; 1 where nothing does: batches of rows are still on their way, one after the other. */
  readonly embedders: number;
}

export interface ModelsInput {
  readonly prepared: Pick<Prepared, 'plan' | 'settings'>;
  readonly roster: Roster;
  readonly http: OllamaHttp;
  readonly rerank: Rerank | undefined;
  /** By the encoders of the Python children. */
  readonly encode: Embed;
  /** Ends every request. */
  readonly signal: AbortSignal;
}

export function makeModels({
  prepared: { plan, settings },
  roster,
  http,
  rerank,
  encode,
  signal,
}: ModelsInput): Models {
  const embedModel = modelOf(plan, 'embed');
  const common = { roster, http, signal };
  const has = (wanted: Instance['role']): boolean => plan.instances.some(({ role }) => role === wanted);
  const ollama = (): Embed =>
    makeEmbed({
      ...common,
      options: embedOptions(settings),
      dimensions: plan.engine !== 'embedded' ? embedDimensions(settings, embedModel) : null,
      prefixes: prefixesFor(embedModel, settings.RAG_QUERY_INSTRUCTION),
    });
  return {
    embed: plan.embedder === 'ollama' ? ollama() : plan.embedder === 'sidecar' ? encode : undefined,
    titled: plan.embedder === 'sidecar',
    generate: has('generate') ? makeGenerate({ ...common, options: generateOptions }) : undefined,
    rerank,
    generateModel: modelOf(plan, 'generate'),
    embedders: Math.max(1, embedderIds(plan).length),
  };
}

const modelOf = (plan: Plan, role: Instance['role']): string =>
  plan.instances.find((instance) => instance.role === role)?.model ?? 'none';
