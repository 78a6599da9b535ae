/** What happened in a run, as it is told afterwards. Pure. */
import type { ChildStatus } from '../../supervise/spec.ts';
import type { Phase } from './phase.ts';

export type HistoryEvent =
  | { readonly at: Date; readonly what: 'phase'; readonly phase: Phase }
  | {
      readonly at: Date;
      readonly what: 'service';
      readonly id: string;
      readonly state: 'ready' | 'restarting' | 'failed' | 'exited';
      readonly reason: string | null;
    };

/** A service that crashes all night must not fill a disk. */
const mostEvents = 2000;

export const addPhase = (history: readonly HistoryEvent[], phase: Phase, at: Date): readonly HistoryEvent[] =>
  history.findLast((event) => event.what === 'phase')?.phase === phase
    ? history
    : [...history, { at, what: 'phase', phase }];

/** States that come and go with every start say nothing. */
export function addService(
  history: readonly HistoryEvent[],
  { id, current, reason }: ChildStatus,
  at: Date,
): readonly HistoryEvent[] {
  const { state } = current;
  if (state !== 'ready' && state !== 'restarting' && state !== 'failed' && state !== 'exited') return history;
  if (history.length >= mostEvents) return history;
  const why = state === 'failed' ? current.error.message : state === 'restarting' ? reason : null;
  return [...history, { at, what: 'service', id, state, reason: why }];
}

export interface PhaseSpan {
  readonly phase: Phase;
  readonly from: string;
  readonly seconds: number;
}

/** Each phase until the next, the last until the end. */
export function phaseSpans(history: readonly HistoryEvent[], end: Date): PhaseSpan[] {
  const phases = history.filter((event) => event.what === 'phase');
  return phases.map(({ phase, at }, index) => ({
    phase,
    from: at.toISOString(),
    seconds: ((phases[index + 1]?.at ?? end).getTime() - at.getTime()) / 1000,
  }));
}
