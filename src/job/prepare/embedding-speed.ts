/** How fast models have embedded in earlier runs, as their reports tell. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { instancesIn } from '../../plan/layouts.ts';
import type { Plan } from '../../plan/types.ts';
import { type IngestRecord, readRuns } from '../shown/report.ts';

/** Fewer say more of the start than of the model. */
const leastSeconds = 20;
const mostReports = 50;

/** Tokens a second that the embed servers of a plan will do together; null where no run with that model is known. */
export async function readEmbeddingSpeed(logRoot: string, plan: Plan): Promise<number | null> {
  const embedders = instancesIn(plan, 'ingest').filter(({ role }) => role === 'embed');
  const names = await readdir(logRoot).catch(() => []);
  const reports = await Promise.all(
    names.map(async (name) => {
      const path = join(logRoot, name, 'report.json');
      return {
        path,
        at: await stat(path).then(
          (found) => found.mtimeMs,
          () => 0,
        ),
      };
    }),
  );
  const newest = reports.filter(({ at }) => at > 0).toSorted((a, b) => b.at - a.at);
  for (const { path } of newest.slice(0, mostReports)) {
    const runs = await readRuns(path).catch(() => []);
    const told = runs
      .map(({ ingest }) => ingest)
      .findLast((ingest) => speaksFor(ingest, embedders[0]?.model));
    if (told) return (told.tokens / told.seconds / told.servers) * embedders.length;
  }
  return null;
}

const speaksFor = (
  ingest: IngestRecord | null | undefined,
  model: string | undefined,
): ingest is IngestRecord =>
  ingest != null &&
  ingest.model === model &&
  ingest.seconds >= leastSeconds &&
  ingest.servers > 0 &&
  ingest.tokens > 0;
