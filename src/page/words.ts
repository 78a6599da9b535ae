/** States and phases in words, and how they look. */

/** `bad` wants a look, `busy` is on its way, `good` is as it should be, `still` is neither. */
export type Tone = 'good' | 'busy' | 'bad' | 'still';

const phases: Readonly<Record<string, readonly [words: string, tone: Tone]>> = {
  starting: ['Starting', 'busy'],
  ingest: ['Ingesting', 'busy'],
  switching: ['Changing from ingest to answers', 'busy'],
  answering: ['Answering', 'good'],
  draining: ['Stopping', 'busy'],
  ended: ['Ended', 'still'],
};

const states: Readonly<Record<string, readonly [words: string, tone: Tone]>> = {
  pending: ['waiting', 'still'],
  starting: ['starting', 'busy'],
  'not ready': ['not ready yet', 'still'],
  ready: ['ready', 'good'],
  restarting: ['starting again', 'bad'],
  stopping: ['stopping', 'busy'],
  exited: ['ended', 'still'],
  failed: ['failed', 'bad'],
};

/** A word that is not known is shown as it is. */
export const phaseWords = (phase: string): readonly [words: string, tone: Tone] =>
  phases[phase] ?? [phase, 'still'];
export const stateWords = (state: string): readonly [words: string, tone: Tone] =>
  states[state] ?? [state, 'still'];
