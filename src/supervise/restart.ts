import type { RestartBudget } from './spec.ts';

/**
 * When one child was restarted, on the clock of its own readiness: milliseconds that it has been ready in all
 * its lives together. On this clock a child that never becomes ready stands still and spends its budget however
 * long each try takes, and stable time heals: what lies a period back is forgotten.
 */
export type RestartHistory = readonly number[];

export type NextRestart =
  | { readonly outcome: 'restart'; readonly delayMs: number; readonly history: RestartHistory }
  | { readonly outcome: 'give-up'; readonly restarts: number };

/**
 * @param now the child's ready clock, in ms
 * @param random number in [0, 1)
 */
export function nextRestart(
  history: RestartHistory,
  budget: RestartBudget,
  now: number,
  random: number,
): NextRestart {
  const recent = history.filter((at) => now - at < budget.periodMs);
  if (recent.length >= budget.intensity) return { outcome: 'give-up', restarts: recent.length };
  const { baseMs, capMs } = budget.backoff;
  const fullMs = Math.min(capMs, baseMs * 2 ** recent.length);
  // Half fixed, half random: jobs that lost the same file server must not come back in the same second.
  return { outcome: 'restart', delayMs: (fullMs / 2) * (1 + random), history: [...recent, now] };
}
