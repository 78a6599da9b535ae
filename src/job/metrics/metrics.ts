/** What Prometheus reads at `/metrics`: names by its conventions, base units, counters from the start of the run. */
import type { Deeds } from '../picture/deeds.ts';
import { observeEndpoint } from './endpoint.ts';
import { addGpus } from './gpus.ts';
import { addIngest } from './ingest.ts';
import { addJob } from './job.ts';
import { observeModels } from './models.ts';
import { addProcess } from './process.ts';
import { makeAsked, type Sources } from './asked.ts';

export interface Metrics {
  /** Prometheus' text format 0.0.4. */
  text(): Promise<string>;
}

/** The library is loaded here and not before: a verb that serves nothing does not wait for it. */
export async function openMetrics({
  deeds,
  ...sources
}: Sources & { readonly deeds: Deeds }): Promise<Metrics> {
  const library = await import('prom-client');
  const registry = new library.Registry();
  const asked = makeAsked(library, registry);
  addJob(asked, sources);
  addIngest(asked, sources);
  addGpus(asked, sources);
  addProcess(asked);
  deeds.listen(observeEndpoint(library, registry));
  deeds.listen(observeModels(library, registry));
  return { text: () => registry.metrics() };
}
