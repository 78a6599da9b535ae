/** Why nothing is generated yet, and when it will be. Pure. */
import { durationText } from '../../observe/pace.ts';
import type { Postponed } from '../../serve/postponed.ts';
import type { LayoutState } from '../life/layouts.ts';
import type { SupervisorStatus } from './status.ts';

/** A client that asks again sooner learns nothing; one that waits longer may miss the switch. */
const [soonest, latest] = [5, 300];
/** A model loads; for how long nobody knows. */
const loadSeconds = 30;

export function whyPostponed(
  state: LayoutState,
  { job, progress }: Pick<SupervisorStatus, 'job' | 'progress'>,
): Postponed | undefined {
  if (state === 'answering') return undefined;
  const hint = `node dist/supervisor.js status ${job}   # or ask POST /retrieve, which works meanwhile`;
  const cannot = 'Cannot generate yet: the generator has no room beside the embed servers';
  if (state === 'switching')
    return {
      message: `${cannot}; everything is ingested and it is being started, wait until it has loaded`,
      hint,
      seconds: loadSeconds,
    };
  const { documents_done: done, documents_total: total, eta_s: eta } = progress;
  const soFar = total === null ? `${done} documents so far` : `${done} of ${total} documents`;
  const when = eta === null ? 'how long that takes is not known yet' : `in about ${durationText(eta)}`;
  return {
    message: `${cannot}, and starts when everything is ingested (${soFar}): ${when}`,
    hint,
    seconds: Math.min(latest, Math.max(soonest, eta ?? loadSeconds)),
  };
}
