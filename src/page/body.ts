/** The picture of a job, from top to bottom: the same on the dashboard and in the report. */
import { activityView, drawable } from './activity.ts';
import { warningsView } from './head.ts';
import { failuresView } from './failures.ts';
import { gpusView } from './gpus.ts';
import { ingestView } from './ingest.ts';
import type { Picture } from './picture.ts';
import { timeScale } from './scale.ts';
import { servicesView } from './services.ts';
import { timelineView } from './timeline.ts';
import { el, type Content } from './tree.ts';

export function bodyView(picture: Picture): readonly Content[] {
  const scale = timeScale(picture.runs);
  const drawn =
    picture.series === null || picture.series.from.length === 0
      ? null
      : drawable(picture, picture.series, scale);
  return [
    warningsView(picture),
    ingestView(picture),
    activityView(picture, drawn),
    gpusView(picture, drawn?.axis ?? null, drawn?.gpus ?? []),
    servicesView(picture),
    timelineView(picture, scale),
    failuresView(picture),
  ];
}

export const footView = ({ version, job }: Picture): Content =>
  el(
    'footer',
    {},
    el('span', {}, `rag-allinone ${version}`),
    el('span', {}, `retriever ${job.retriever}`),
    el('span', {}, `containment ${job.containment}`),
    el('span', {}, `network ${job.network}`),
  );
