/** What a run shows at its endpoint: the picture of its job, its metrics, and how long every answer took. */
import type { EndpointOptions } from '../../serve/serve.ts';
import { version as readVersion } from '../../version.ts';
import { openMetrics } from '../metrics/metrics.ts';
import type { OpenJob } from '../open.ts';
import { pictureOfRun } from './of-run.ts';

/** Listens for as long as the run lives. */
export async function openPage(
  { watch, samples, work, prepared, report }: OpenJob,
  postponed: NonNullable<EndpointOptions['postponed']>,
): Promise<Required<Pick<EndpointOptions, 'page' | 'onServed'>>> {
  const version = readVersion();
  const told = { status: () => watch.status(), ingested: () => watch.ingested(), samples };
  const metrics = await openMetrics({
    ...told,
    version,
    deeds: samples.deeds,
    retrievals: () => work.retrievals(),
    queue: () => samples.queue(),
  });
  const now = (): Date => new Date();
  return {
    page: {
      picture: (seen) =>
        pictureOfRun({ prepared, version, now, told, report: report(), postponed: postponed(), seen }),
      metrics: () => metrics.text(),
    },
    onServed: (served) => samples.deeds.tell({ deed: 'served', ...served }),
  };
}
