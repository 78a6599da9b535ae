/** What others see of a run: the endpoint, its file, the state file, the job's comment. */
import { join } from 'node:path';

import { openEndpoint, type Endpoint } from '../serve/serve.ts';
import { openPublication, type Publication } from '../services/discovery.ts';
import { writeComment } from '../slurm/comment.ts';
import { embedOptions, generateOptions } from './models-in-force.ts';
import type { OpenJob } from './open.ts';

/** @throws settings when the port or the socket cannot be had */
export async function openFace(open: OpenJob): Promise<Endpoint> {
  const { settings } = open.prepared;
  const endpoint = await openEndpoint({
    work: open.work,
    host: settings.RAG_BIND,
    port: settings.RAG_PORT,
    socketPath: join(open.folders.scratch, 'endpoint', 'rag.sock'),
    ownerUid: process.getuid?.() ?? 0,
    defaultTopk: settings.RAG_TOPK,
    ollama: {
      current: (role) => open.roster.current(role),
      frozen: (role) => (role === 'embed' ? embedOptions(settings) : generateOptions),
      flights: open.flights,
    },
    state: () => ({ ...open.watch.status(), retrieval: open.work.retrievals() }),
    readiness: () => {
      const missing = open.tree
        .statuses()
        .flatMap(({ id, current }) => (current.state === 'ready' ? [] : [id]));
      return { ready: missing.length === 0, missing };
    },
    onEvent: (event) =>
      open.log.file(`endpoint: ${event.kind}`, 'problem' in event ? { problem: event.problem } : {}),
  });
  open.watch.endpoint(endpoint);
  return endpoint;
}

/** Tells the world that every service is ready. A file that another live job holds stays as it is, and we say so. */
export async function publish(open: OpenJob, endpoint: Endpoint): Promise<Publication> {
  const { settings, job, plan, environment } = open.prepared;
  const path = join(settings.RAG_RUNTIME_STATE, 'ollama_service.json');
  const publication = await openPublication({
    path,
    service: {
      host: settings.RAG_BIND,
      port: endpoint.port,
      job_id: job.id,
      ip: settings.RAG_BIND,
      url: endpoint.url,
      node: job.node,
      task: job.task,
      models: Object.fromEntries(plan.instances.map(({ role, model }) => [role, model])),
      started_at: new Date().toISOString(),
    },
    onChange: (now) =>
      open.log(
        'info',
        now.state === 'published' ? `published: ${path}` : `not published, ${now.by} holds ${path}`,
      ),
    onError: (error) => open.log('warn', `${path} could not be written: ${String(error)}`),
  });
  open.log('info', `ready: ${endpoint.url} on ${job.node}`);
  open.log('info', `from elsewhere: ssh -L ${endpoint.port}:127.0.0.1:${endpoint.port} ${job.node}`);
  if (job.kind === 'slurm') {
    const options = { env: environment, timeoutMs: 10_000, signal: open.lost };
    void writeComment(job, `rag: ready ${endpoint.url} on ${job.node}`, options); // decoration: never waited for
  }
  return publication;
}
