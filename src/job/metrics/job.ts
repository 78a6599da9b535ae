/** The job and its services. */
import type { SupervisorStatus } from '../shown/status.ts';
import { type Asked, only, type Sources, type Value } from './asked.ts';

const phases = ['starting', 'ingest', 'switching', 'answering', 'draining', 'ended'];

export function addJob({ gauge, counter }: Asked, { version, status, samples, queue }: Sources): void {
  const ofServices =
    (value: (service: SupervisorStatus['services'][number]) => number) => (): readonly Value[] =>
      status().services.map((service) => [{ service: service.id }, value(service)]);

  gauge(
    'rag_build_info',
    'Always 1; the version of the program and of Node.',
    ['version', 'node_version'],
    () => [[{ version, node_version: process.versions.node }, 1]],
  );
  gauge('rag_job_info', 'Always 1; which job this is, and where it runs.', ['slurm_job', 'node'], () => [
    // `job` is Prometheus' own word for what it scrapes.
    [{ slurm_job: status().job, node: status().node }, 1],
  ]);
  gauge('rag_phase', '1 for the phase that the job is in, 0 for the others.', ['phase'], () =>
    phases.map((phase) => [{ phase }, status().phase === phase ? 1 : 0]),
  );
  gauge(
    'rag_time_left_seconds',
    'Until the wall-time limit of the job; left out where none is known.',
    [],
    only(() => status().time_left_s),
  );
  gauge(
    'rag_service_ready',
    'Whether the service has answered a real request and answers still.',
    ['service'],
    ofServices(({ state }) => (state === 'ready' ? 1 : 0)),
  );
  counter(
    'rag_service_restarts_total',
    'How often the service was started again.',
    ['service'],
    ofServices(({ restarts }) => restarts),
  );
  gauge(
    'rag_service_readiness_seconds',
    'From the last spawn of the service to its first answer.',
    ['service'],
    () => Object.entries(samples.counts().ready).map(([service, seconds]) => [{ service }, seconds]),
  );
  gauge(
    'rag_model_requests_in_flight',
    'Requests that the model servers have and have not finished.',
    [],
    only(queue),
  );
}
