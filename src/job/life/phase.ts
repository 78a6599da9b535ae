/** The job's own life as a pure transition function. */
export type Phase = 'starting' | 'ingest' | 'switching' | 'answering' | 'draining' | 'ended';

export type PhaseEvent =
  /** The services that the next piece of work needs are ready. */
  | 'ingest-begins'
  /** Everything is ingested, and the generator has no room beside the embed servers. */
  | 'switch-begins'
  | 'answering-begins'
  /** A signal, a spent service or the end of the work. */
  | 'stop'
  | 'stopped';

const next: Readonly<Record<Phase, Partial<Record<PhaseEvent, Phase>>>> = {
  starting: { 'ingest-begins': 'ingest', 'answering-begins': 'answering', stop: 'draining' },
  ingest: { 'switch-begins': 'switching', 'answering-begins': 'answering', stop: 'draining' },
  // Never back: what comes later is ingested beside the generator.
  switching: { 'answering-begins': 'answering', stop: 'draining' },
  // New files may come while it answers.
  answering: { 'ingest-begins': 'ingest', 'answering-begins': 'answering', stop: 'draining' },
  draining: { stop: 'draining', stopped: 'ended' },
  ended: {},
};

/** An event that does not fit changes nothing: two causes of a stop may come in any order. */
export const nextPhase = (phase: Phase, event: PhaseEvent): Phase => next[phase][event] ?? phase;
