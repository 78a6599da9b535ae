/** The lives of a job, as a picture shows them: those of its report and the one that goes on. Pure. */
import { z } from 'zod';
import type { RunPicture, ServiceLife, SpanPicture } from '../../page/picture.ts';

const outcomeSchema = z.object({ exit: z.number(), reason: z.string() });

/** What a picture needs of a run in `report.json`; a report of an older version may lack the most of it. */
const runSchema = z.object({
  run: z.string(),
  restart: z.number().catch(0),
  node: z.string().catch('?'),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  outcome: outcomeSchema.nullable().catch(null),
  phases: z.array(z.object({ phase: z.string(), from: z.iso.datetime(), seconds: z.number() })).catch([]),
  services: z.array(z.object({ id: z.string(), gpus: z.array(z.string()), restarts: z.number() })).catch([]),
  events: z
    .array(
      z.object({
        at: z.union([z.iso.datetime(), z.date()]),
        id: z.string(),
        state: z.string(),
        reason: z.string().nullable(),
      }),
    )
    .catch([]),
});

/** Undefined for what is no run. @param raw as it stands in `report.json`, or is to */
export function runPicture(raw: unknown): RunPicture | undefined {
  const { data } = runSchema.safeParse(raw);
  if (data === undefined) return undefined;
  const [from, to] = [Date.parse(data.started_at), Date.parse(data.ended_at)];
  const phases = data.phases.map(({ phase, from: began, seconds }) => ({
    what: phase,
    from: Date.parse(began),
    to: Date.parse(began) + seconds * 1000,
    reason: null,
  }));
  const services = data.services.map(({ id, gpus, restarts }) => ({
    id,
    gpus,
    restarts,
    spans: spansOf(
      data.events.filter((event) => event.id === id),
      { from, to },
    ),
  }));
  return {
    run: data.run,
    restart: data.restart,
    node: data.node,
    from,
    to,
    outcome: data.outcome,
    phases: phases.filter(({ from: began, to: ended }) => ended > began),
    services: services.map(shortened),
  };
}

interface Event {
  readonly at: string | Date;
  readonly state: string;
  readonly reason: string | null;
}

/** Before it was ready for the first time a service is on its way; what it does between two events the former says. */
function spansOf(
  events: readonly Event[],
  { from, to }: { readonly from: number; readonly to: number },
): SpanPicture[] {
  const moments = [
    { what: 'not ready', from, reason: null },
    ...events.map(({ at, state, reason }) => ({ what: state, from: new Date(at).getTime(), reason })),
  ];
  return moments
    .map((moment, index) => ({ ...moment, to: moments[index + 1]?.from ?? to }))
    .filter((span) => span.to > span.from || span.reason !== null);
}

/** A service that crashes all night has thousands; its last are told. */
const mostSpans = 200;

const shortened = (life: ServiceLife): ServiceLife => ({ ...life, spans: life.spans.slice(-mostSpans) });
