/** Which model servers are live, and what was learnt of them: services report here, models read the roster. */
import type { Settings } from '../../config/settings.ts';
import { makeRoster } from '../../models/roster.ts';
import type { Role, Roster } from '../../models/types.ts';
import type { Instance, Plan } from '../../plan/types.ts';
import type { ServedModel } from '../../services/ollama-ready.ts';
import type { ChildStatus } from '../../supervise/spec.ts';
import { ollamaEncoder, type ServedEncoder } from '../models/encoder.ts';

export interface Served {
  readonly roster: Roster;
  /** What the last server that embeds told of its model; of several encoders of the first, or the one of this name. */
  encoder(settings: Pick<Settings, 'RAG_QUERY_INSTRUCTION'>, name?: string): ServedEncoder | undefined;
  /** A server has proven itself. */
  add(instance: Instance, model: ServedModel): void;
  addEncoder(encoder: ServedEncoder): void;
  /** Of every server that was ready once, where it was last. */
  urls(): readonly string[];
  /** These get no new requests, whatever becomes of them. Gives their addresses. */
  retire(ids: readonly string[]): string[];
  /** A server that is not ready gets no requests. */
  withdraw(status: ChildStatus): void;
}

/** @param loadOf see `makeRoster` */
export function makeServed(plan: Plan, loadOf?: (url: string) => number): Served {
  const roster = makeRoster(loadOf);
  let ofOllama: ServedModel | undefined;
  const ofPython = new Map<string, ServedEncoder>();
  const urls = new Map<string, string>();
  const retired = new Set<string>();
  const roleOf = (id: string): Role | undefined => {
    const role = plan.instances.find((instance) => instance.id === id)?.role;
    return role === 'rerank' ? undefined : role;
  };
  const forget = (id: string): void => {
    const role = roleOf(id);
    if (role !== undefined) roster.set(role, id, undefined);
  };
  return {
    roster,
    encoder: (settings, name = [...ofPython.keys()][0] ?? '') =>
      ofPython.get(name) ?? (ofOllama && ollamaEncoder(ofOllama, settings)),
    addEncoder: (encoder) => void ofPython.set(encoder.name, encoder),
    add: ({ id, role }, model) => {
      if (role === 'rerank') return;
      if (role === 'embed') ofOllama = model;
      urls.set(id, model.url);
      if (!retired.has(id)) roster.set(role, id, { url: model.url, model: model.model });
    },
    urls: () => [...urls.values()],
    retire: (ids) =>
      ids.flatMap((id) => {
        retired.add(id);
        forget(id);
        return urls.get(id) ?? [];
      }),
    withdraw: ({ id, current }) => {
      if (current.state !== 'ready') forget(id);
    },
  };
}
