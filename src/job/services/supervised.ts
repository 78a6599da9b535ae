/** The services of a run, contained and watched: everything between the plan and a tree that keeps itself alive. */
import type { Environment } from '../../config/load.ts';
import { RagError } from '../../errors.ts';
import { openOllamaHttp, type OllamaHttp } from '../../models/ollama-http.ts';
import type { Log } from '../../observe/log.ts';
import { durationText } from '../../observe/pace.ts';
import type { Instance, Plan } from '../../plan/types.ts';
import type { ServedModel } from '../../services/ollama-ready.ts';
import { promptWarning } from '../../services/ollama-version.ts';
import type { Containment } from '../../supervise/containment.ts';
import type { ChildStatus, Tree } from '../../supervise/spec.ts';
import { startTree } from '../../supervise/tree.ts';
import { openContainment } from './contain.ts';
import type { Folders } from '../folders.ts';
import { makeLayouts, type Layouts } from '../life/layouts.ts';
import { linkOldNames } from '../shown/old-names.ts';
import type { Prepared } from '../prepare/prepare.ts';
import { openOomWatch } from './oom-watch.ts';
import { makeServed, type Served } from './served.ts';
import { makeSpecs } from './services.ts';
import type { Samples } from '../picture/samples.ts';
import { tellReady } from '../picture/tell-ready.ts';
import type { Watch } from '../shown/watch.ts';

export interface Services {
  readonly tree: Tree;
  readonly served: Served;
  readonly http: OllamaHttp;
  readonly containment: Containment;
  readonly layouts: Layouts;
  /** Aborts when a significant service is spent. Its reason is the error to end with. */
  readonly lost: AbortSignal;
}

export interface ServicesInput {
  readonly prepared: Prepared;
  /** As it was before this run's mark came in: another run may have started us. */
  readonly inherited: Environment;
  readonly folders: Folders;
  readonly log: Log;
  readonly watch: Watch;
  readonly samples: Samples;
  readonly supervisorId: string;
  /** Ends what is not yet started. */
  readonly signal: AbortSignal;
}

/** Five crashes in five minutes are no accident. Backoff lets a GPU's memory be freed and a file server come back. */
export const budget = { intensity: 5, periodMs: 300_000, backoff: { baseMs: 500, capMs: 30_000 } };

/** Starts all, calls `use`, stops all in reverse. @throws what `use` throws; preflight, aborted */
export async function withServices<T>(
  { prepared, inherited, folders, log, watch, samples, supervisorId, signal }: ServicesInput,
  use: (services: Services) => Promise<T>,
): Promise<T> {
  const outer = { ...prepared, environment: inherited };
  await using contained = await openContainment(outer, supervisorId, log, signal);
  const { containment, gpuMemory } = contained;
  await using http = openOllamaHttp();
  const served = makeServed(prepared.plan, (url) => http.flights.traffic(url).inFlight);
  const oom = await openOomWatch(log);
  const specs = makeSpecs({
    prepared,
    folders,
    http,
    network: containment.network,
    supervisorId,
    onServed: welcome(served, prepared.plan, log),
    onEncoder: ({ id }, encoder) => {
      served.addEncoder(encoder);
      log.file(`${id} encodes with ${encoder.model}`, { ...encoder });
    },
    onWait: (id, line) => log('info', `${id} ${line}${leftText(watch.status().time_left_s)}`),
    onDevice: (id, device) => watch.device(id, device),
  });
  await using tree = startTree(specs, {
    budget,
    containment,
    onEvent: ({ id, event, ...detail }) => log.file(`${id}: ${event}`, detail),
  });
  watch.follow(tree, contained);
  samples.watchQueue(() => served.urls().reduce((sum, url) => sum + http.flights.traffic(url).inFlight, 0));
  tree.onChange(tellReady(samples.deeds.tell));
  tree.onChange((status) => {
    served.withdraw(status);
    announce(status, log);
    void oom.look(status);
    if (status.current.state === 'ready') void gpuMemory.note();
  });
  const layouts = makeLayouts({
    plan: prepared.plan,
    tree,
    served,
    flights: http.flights,
    gpuMemory,
    watch,
    onStarted: () => linkOldNames(prepared.settings.LOG_ROOT, folders.logs, prepared.plan, 'answering'),
    log,
  });
  return await use({ tree, served, http, containment, layouts, lost: whenLost(tree) });
}

/** What happens each time a server became ready. A warning about its version is said once. */
function welcome(
  served: Served,
  { engine }: Pick<Plan, 'engine'>,
  log: Log,
): (instance: Instance, model: ServedModel) => void {
  const warned = new Set<string>();
  return (instance, model) => {
    served.add(instance, model);
    log.file(`${instance.id} serves ${model.model}`, { ...model });
    if (engine === 'ollama') log('info', `${instance.id}: ${placeText(instance, model)}`);
    const warning = instance.role === 'generate' ? promptWarning(model.version) : null;
    if (warning !== null && !warned.has(warning)) log('warn', warning);
    if (warning !== null) warned.add(warning);
  };
}

/** What the readiness of a model server proved. Pure. */
function placeText(
  { gpus }: Pick<Instance, 'gpus'>,
  { bytes, vramBytes }: Pick<ServedModel, 'bytes' | 'vramBytes'>,
): string {
  const gigabytes = (count: number): string => `${(count / 1e9).toFixed(1)} GB`;
  if (vramBytes === 0) return `${gigabytes(bytes)}, all of it in the memory of the CPU`;
  const on = gpus.length === 0 ? 'GPUs' : `GPU ${gpus.join(',')}`;
  return `${gigabytes(bytes)}, ${vramBytes < bytes ? `${gigabytes(vramBytes)} of it` : 'all of it'} on ${on}`;
}

const leftText = (seconds: number | null): string =>
  seconds === null ? '' : ` (this job ends in ${durationText(seconds)})`;

function announce({ id, current, reason }: ChildStatus, log: Log): void {
  if (current.state === 'failed') log('error', `${id} has failed: ${current.error.message}`);
  else if (current.state === 'restarting') log('warn', `${id} is started again: ${reason}`);
  else if (current.state === 'ready') log('info', `${id} is ready`, { pid: current.pid });
}

function whenLost(tree: Tree): AbortSignal {
  const lost = new AbortController();
  void tree.ended.then((end) =>
    lost.abort(
      end.outcome === 'failed'
        ? end.error
        : new RagError(
            'service-failed',
            `Cannot go on: ${end.id} ended with ${end.exit.code ?? end.exit.signal}`,
          ),
    ),
  );
  return lost.signal;
}
