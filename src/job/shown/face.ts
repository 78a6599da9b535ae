/** What others see of a run: the endpoint, its file, the state file, the job's comment. */
import { basename, join } from 'node:path';

import type { Settings } from '../../config/settings.ts';
import { whyUntrusted } from '../../disk/trust.ts';
import { toPlain } from '../../errors.ts';
import { clusterAddress } from '../../machine/address.ts';
import type { Postponed } from '../../serve/postponed.ts';
import type { Plan } from '../../plan/types.ts';
import { openEndpoint, type Endpoint } from '../../serve/serve.ts';
import { makeTokens, type Tokens } from '../../serve/access/tokens.ts';
import { openPublication, type Publication } from '../../services/discovery.ts';
import { openTokenFiles, type TokenFiles } from '../../services/token-files.ts';
import { writeComment } from '../../slurm/comment.ts';
import { jobKey } from '../../slurm/job.ts';
import { embedOptions, generateOptions, ollamaModels } from '../prepare/models-in-force.ts';
import { whyFrozen } from '../prepare/frozen.ts';
import type { OpenOrders } from '../documents/ingest-orders.ts';
import type { OpenJob } from '../open.ts';
import { openPage } from '../picture/page.ts';
import { tellRefusals } from './refusals.ts';
import { whyPostponed } from './postponed.ts';

/** What opens the endpoint to who is not its owner on this node. */
export interface Keys extends AsyncDisposable {
  readonly tokens: Tokens;
  readonly files: Pick<TokenFiles, 'header' | 'url'>;
}

/** @throws settings for a group that cannot be given anything, disk-full */
export async function openKeys({ prepared: { settings }, watch, lost }: OpenJob): Promise<Keys> {
  const tokens = makeTokens();
  const files = await openTokenFiles({
    folder: settings.RAG_RUNTIME_STATE,
    name: watch.name,
    tokens,
    group: settings.RAG_SHARE_GROUP,
    signal: lost,
  });
  return { tokens, files, [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
}

/** @throws settings when the port, the address or the socket cannot be had */
export async function openFace(
  open: OpenJob,
  { tokens }: Pick<Keys, 'tokens'>,
  orders: OpenOrders,
): Promise<Endpoint> {
  const { settings, job } = open.prepared;
  const host = settings.RAG_BIND === 'node' ? await clusterAddress(job.node) : settings.RAG_BIND;
  const endpoint = await listen(open, host, tokens, orders);
  open.watch.endpoint(endpoint);
  return endpoint;
}

async function listen(open: OpenJob, host: string, tokens: Tokens, orders: OpenOrders): Promise<Endpoint> {
  const { settings, plan } = open.prepared;
  const postponed = (): Postponed | undefined => whyPostponed(open.layouts.state(), open.watch.status());
  const refused = tellRefusals(open.log);
  return await openEndpoint({
    work: open.work,
    host,
    tokens,
    port: settings.RAG_PORT,
    socketPath: join(open.folders.scratch, 'endpoint', 'rag.sock'),
    ownerUid: process.getuid?.() ?? 0,
    defaultTopk: settings.RAG_TOPK,
    ollama: {
      models: ollamaModels(plan),
      instances: (role) => open.roster.list(role),
      onChange: (listener) => open.roster.onChange(listener),
      frozen: (role) => (role === 'embed' ? embedOptions(settings) : generateOptions),
      flights: open.flights,
      // How many servers there are behind another job's endpoint is known there: it has a line of its own.
      limits: plan.engine === 'remote' ? { places: elsewhere } : {},
    },
    reranker: open.rerank && { rerank: open.rerank, model: rerankerName(plan, settings) },
    documents: {
      library: open.work.library,
      orders,
      frozen: whyFrozen(open.prepared),
      isShared: settings.RAG_SHARE_GROUP !== undefined,
      maxUploadBytes: settings.RAG_MAX_UPLOAD_MIB * 2 ** 20,
    },
    state: () => ({
      ...open.watch.status(),
      index: settings.RAG_WORKING_DIR,
      answers_at_once: 2 * Math.max(1, plan.instances.filter(({ role }) => role === 'generate').length),
      ingests: orders.open(),
      retrieval: open.work.retrievals(),
    }),
    readiness: () => {
      const isOver = (id: string): boolean =>
        open.layouts.state() !== 'ingest' &&
        plan.instances.some((instance) => instance.id === id && instance.layout === 'ingest');
      const missing = open.tree
        .statuses()
        .flatMap(({ id, current }) => (current.state === 'ready' || isOver(id) ? [] : [id]));
      return { ready: missing.length === 0, missing };
    },
    postponed,
    ...(await openPage(open, postponed)),
    onEvent: (event) => {
      if (event.kind === 'refused') return refused(event.problem);
      // What an error says may hold what somebody asked.
      const { code } = toPlain(event.error);
      const where = event.kind === 'failed' ? { route: event.route, at: placeOf(event.error) } : {};
      return open.log.file(`endpoint: ${event.kind}`, { code, ...where });
    },
  });
}

/** The first line of a stack. */
const placeOf = (error: unknown): string | undefined =>
  error instanceof Error ? /^ +at (.*)$/m.exec(error.stack ?? '')?.[1] : undefined;

/** Of a folder its own name: where it lies is nobody's business. */
const rerankerName = ({ instances }: Plan, { RERANKER_MODEL: named = 'unnamed' }: Settings): string =>
  basename(instances.find(({ role }) => role === 'rerank')?.model ?? named);

const elsewhere = { width: { generate: 64, embed: 64 }, learnsWidth: false };

/** Tells the world that every service is ready, and `status` before it. A file that another live job holds stays as it is, and we say so. */
export async function publish(open: OpenJob, endpoint: Endpoint, files: Keys['files']): Promise<Publication> {
  const { settings, job, plan, environment } = open.prepared;
  const path = join(settings.RAG_RUNTIME_STATE, 'ollama_service.json');
  await open.watch.written();
  const publication = await openPublication({
    path,
    // No secret is in it, and who may read it is decided by its folder.
    mode: settings.RAG_SHARE_GROUP === undefined ? 0o600 : 0o644,
    service: {
      host: endpoint.host,
      port: endpoint.port,
      job_id: job.id,
      job: jobKey(job),
      ip: endpoint.host,
      url: endpoint.url,
      token_file: files.header,
      url_token_file: files.url,
      node: job.node,
      task: job.task,
      models: Object.fromEntries(ollamaModels(plan).map(({ role, model }) => [role, model])),
      started_at: new Date().toISOString(),
    },
    onChange: (now) =>
      open.log(
        'info',
        now.state === 'published' ? `published: ${path}` : `not published, ${now.by} holds ${path}`,
      ),
    onError: (error) => open.log('warn', `${path} could not be written: ${String(error)}`),
  });
  const why = await whyUntrusted(path).catch(() => undefined); // a warning is worth no job
  if (why !== undefined)
    open.log(
      'warn',
      `no client will trust what is published: ${why}; mend: chmod -R o-w ${settings.RAG_RUNTIME_STATE}`,
    );
  open.log(
    'info',
    `ready: ${endpoint.url} on ${job.node}; dashboard from elsewhere: ssh -L ${endpoint.port}:127.0.0.1:${endpoint.port} ${job.node}, then http://127.0.0.1:${endpoint.port}/`,
  );
  if (job.kind === 'slurm') {
    const options = { env: environment, timeoutMs: 10_000, signal: open.lost };
    void writeComment(job, `rag: ready ${endpoint.url} on ${job.node}`, options); // decoration: never waited for
  }
  return publication;
}
