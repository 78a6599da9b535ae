/**
 * A generator that leaves the embed servers no room: then they have the GPUs first, until everything is ingested, and the
 * generator after them. Pure.
 */
import { embedInstances } from './embedders.ts';
import { type Facts, makeMemory, type MemoryLine, roomForEmbedders } from './memory.ts';
import type { Instance, Layout, Plan } from './types.ts';

/** Those that run in a layout. A plan with one layout has the same in both. */
export const instancesIn = ({ instances }: Pick<Plan, 'instances'>, layout: Layout): Instance[] =>
  instances.filter((instance) => instance.layout === undefined || instance.layout === layout);

export const hasTwoLayouts = ({ instances }: Pick<Plan, 'instances'>): boolean =>
  instances.some(({ layout }) => layout !== undefined);

/** What each layout needs, and what it has. */
export function makeLayoutMemory(plan: Plan, facts: Facts): MemoryLine[] {
  const ofIngest = makeMemory({ ...facts, instances: instancesIn(plan, 'ingest') });
  const ofAnswering = makeMemory({ ...facts, instances: instancesIn(plan, 'answering') });
  const told = new Set(ofIngest.map(({ instance }) => instance));
  return [...ofIngest, ...ofAnswering.filter(({ instance }) => !told.has(instance))];
}

/**
 * How many embed servers of one GPU each: as many as there are GPUs, where each has room beside the others. `auto` where
 * one has none, or nothing is known: then one that sees them all finds its place by itself.
 */
export function embeddersFor(facts: Facts, embedder: Instance, others: readonly Instance[]): number | 'auto' {
  if (embedder.gpus.length < 2) return 'auto';
  const room = roomForEmbedders(facts, embedder, others);
  return room === embedder.gpus.length ? room : 'auto';
}

/** Embeds what is asked, and files that come later. */
const askId = 'ollama-embed-ask';

export interface LayoutWishes {
  /** OLLAMA_INSTANCES, for the ingest; one server embeds what comes later. */
  readonly embedders: number | 'auto';
  /** RAG_LAYOUTS: the estimate decides, or who knows better. */
  readonly layouts: 'auto' | 'one' | 'two';
}

/**
 * The plan in two layouts, where the generator fits and the embed servers do not fit beside it. Only there: who has room
 * for both answers from the first minute, and is not made to wait for an ingest that would be faster alone. The same
 * plan where memory is not known, or where one of the two does not fit by itself: no order of them would help.
 *
 * With `two` everywhere but where one of the two is known not to fit by itself; what is not known counts as full.
 *
 * @param plan side by side, with as many embed servers as it has room for
 */
export function withLayouts(plan: Plan, facts: Facts, { embedders: wanted, layouts }: LayoutWishes): Plan {
  if (layouts === 'one') return plan;
  const { ollama: gpus } = plan.slices;
  const generator = plan.instances.find(({ role }) => role === 'generate');
  const embedder = plan.instances.find(({ role }) => role === 'embed');
  if (plan.engine !== 'ollama' || plan.embedder !== 'ollama' || gpus.length === 0) return plan;
  if (generator === undefined || embedder === undefined) return plan;
  const others = plan.instances.filter(({ role }) => role === 'rerank');
  const besides = plan.instances.filter(({ role }) => role === 'embed');
  const fit = (...instances: Instance[]): boolean | null => fitTogether(facts, instances);
  const isForced = layouts === 'two';
  const mayBeAlone = (...instances: Instance[]): boolean =>
    isForced ? fit(...instances) !== false : fit(...instances) === true;
  if (!mayBeAlone(generator) || (!isForced && fit(generator, ...besides) !== false)) return plan;

  const whole = { id: 'ollama-embed', role: 'embed', model: embedder.model, gpus } as const;
  const count = wanted === 'auto' ? embeddersFor(facts, whole, others) : wanted;
  const first = embedInstances({ ...whole, count });
  if (!mayBeAlone(...first)) return plan;
  const hasRoom = fit(generator, whole) === true;
  const later = { ...whole, id: askId, gpus: hasRoom ? gpus : [] };
  return {
    ...plan,
    instances: [
      { ...generator, layout: 'answering' },
      ...first.map((instance) => ({ ...instance, layout: 'ingest' as const })),
      { ...later, layout: 'answering' },
      ...others,
    ],
    warnings: [
      ...plan.warnings,
      isForced ? asWished(generator) : whyFirst(generator, besides),
      ...(hasRoom ? [] : [onTheCpu(generator)]),
    ],
  };
}

/** For a run that has nothing to ingest: the second of two layouts from the start, with the usual names. */
export function inAnswering(plan: Plan, facts: Facts, wishes: LayoutWishes): Plan {
  const both = withLayouts(plan, facts, wishes);
  if (both === plan) return plan;
  const instances = instancesIn(both, 'answering').map(({ layout: _layout, ...instance }) =>
    instance.id === askId ? { ...instance, id: 'ollama-embed' } : instance,
  );
  // The first that was added is of the switch.
  return { ...both, instances, warnings: both.warnings.toSpliced(plan.warnings.length, 1) };
}

/** Null where it is not known of all of them. */
function fitTogether(facts: Facts, instances: readonly Instance[]): boolean | null {
  const verdicts = makeMemory({ ...facts, instances }).map(({ fits }) => fits);
  if (verdicts.includes(false)) return false;
  return verdicts.length < instances.length || verdicts.includes(null) ? null : true;
}

const whyFirst = ({ model }: Instance, besides: readonly Instance[]): string =>
  `${model} and ${besides.length === 1 ? 'the embed server' : `${besides.length} embed servers`} do not fit beside each other: everything is ingested first, then the generator is started, once; until then retrieval works and generation waits.`;

const asWished = ({ model }: Instance): string =>
  `RAG_LAYOUTS=two: everything is ingested first, then ${model} is started, once; until then retrieval works and generation waits.`;

const onTheCpu = ({ model }: Instance): string =>
  `Beside ${model} there is no room for an embed server: once it answers, questions and new files are embedded on the CPU, slowly. One more GPU or a smaller model would do, or RAG_LAYOUTS=one where you know that both fit.`;
