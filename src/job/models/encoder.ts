/** What makes the vectors of a run, whoever serves it, and the record of it that stands in the index. */
import type { Settings } from '../../config/settings.ts';
import { makeEncode } from '../../models/encode.ts';
import { prefixesFor } from '../../models/prefixes.ts';
import { makeSidecars } from '../../models/sidecar.ts';
import type { Embed } from '../../models/types.ts';
import { instancesIn } from '../../plan/layouts.ts';
import type { Layout, Plan } from '../../plan/types.ts';
import type { ServedModel } from '../../services/ollama-ready.ts';
import type { SidecarReady } from '../../services/sidecar-ready.ts';
import type { EncoderRecord } from '../../store/types.ts';
import type { Tree } from '../../supervise/spec.ts';
import type { Layouts } from '../life/layouts.ts';
import { known, readyChildren } from '../services/ready-children.ts';
import type { Served } from '../services/served.ts';

/** An encoder that is ready, as its server told. */
export type ServedEncoder = Omit<EncoderRecord, 'type' | 'chunker'> & {
  /** What its server calls it. */
  readonly name: string;
};

/** @param served `dimensions` is what the model really gave */
export const ollamaEncoder = (
  { model, digest, dimensions }: Pick<ServedModel, 'model' | 'digest' | 'dimensions'>,
  { RAG_QUERY_INSTRUCTION: instruction }: Pick<Settings, 'RAG_QUERY_INSTRUCTION'>,
): ServedEncoder => ({
  name: model,
  model,
  digest,
  dimensions: dimensions ?? 0,
  metric: 'cosine',
  prefixes: prefixesFor(model, instruction),
});

/** What stands before a text, how long it may be and how it becomes a vector is known to the child alone. */
export const sidecarEncoder = ({
  max_length: maxLength,
  prefixes,
  ...encoder
}: SidecarReady['encode'][number]): ServedEncoder => ({
  ...encoder,
  maxLength,
  ...(prefixes && { prefixes }),
});

/** Where words alone are searched. */
const noEncoder: ServedEncoder = {
  name: 'none',
  model: 'none',
  digest: '',
  dimensions: 0,
  metric: 'cosine',
};

export const makeRecord = (
  { name: _name, ...encoder }: ServedEncoder,
  { RAG_VECTOR_TYPE: type }: Pick<Settings, 'RAG_VECTOR_TYPE'>,
  chunker: string,
): EncoderRecord => ({ ...encoder, type: encoder.dimensions === 0 ? 'f16' : type, chunker });

/** Of two layouts those of the ingest, unless the other is named. */
export const embedderIds = (plan: Pick<Plan, 'instances'>, layout: Layout = 'ingest'): string[] =>
  instancesIn(plan, layout).flatMap(({ id, role }) => (role === 'embed' ? [id] : []));

export interface EncodingInput {
  readonly plan: Plan;
  readonly settings: Pick<Settings, 'RAG_VECTOR_TYPE' | 'RAG_QUERY_INSTRUCTION'>;
  readonly tree: Tree;
  readonly served: Pick<Served, 'encoder'>;
  readonly layouts: Pick<Layouts, 'inForce'>;
  /** Of several encoders which one, as its children call it; undefined: the first. */
  readonly name?: string;
  /** Ends every request. */
  readonly signal: AbortSignal;
}

export const makeUntilEncoder =
  ({ plan, settings, tree, served, layouts, name, signal: whole }: EncodingInput) =>
  async (signal: AbortSignal): Promise<ServedEncoder> => {
    if (plan.embedder === 'none') return noEncoder;
    const either = AbortSignal.any([signal, whole]);
    await layouts.inForce((layout) => tree.untilReady(embedderIds(plan, layout), either));
    return known(served.encoder(settings, name), 'the encoder');
  };

/** Vectors by the Python children of the plan. */
export const makeEncoding = ({
  plan,
  settings,
  tree,
  untilEncoder,
  signal,
}: Omit<EncodingInput, 'served' | 'layouts' | 'name'> & {
  readonly untilEncoder: (signal: AbortSignal) => Promise<ServedEncoder>;
}): Embed =>
  makeEncode({
    sidecars: makeSidecars(readyChildren(tree, embedderIds(plan))),
    untilEncoder,
    type: settings.RAG_VECTOR_TYPE,
    signal,
  });
