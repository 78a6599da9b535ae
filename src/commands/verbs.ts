/** Every verb by its name, in the order of the overview. */
import { makeCompletionVerb } from './completion.ts';
import { configVerb } from './config.ts';
import { doctorVerb } from './doctor.ts';
import { evalVerb } from './eval.ts';
import { indexVerb } from './index-actions.ts';
import { ingestVerb } from './ingest.ts';
import { planVerb } from './plan.ts';
import { queryVerb } from './query.ts';
import { retrieveVerb } from './retrieve.ts';
import { runVerb } from './run.ts';
import { statusVerb } from './status.ts';
import { stopVerb } from './stop.ts';
import type { Verb } from './verb.ts';

export const verbs: Readonly<Record<string, Verb>> = {
  run: runVerb,
  plan: planVerb,
  doctor: doctorVerb,
  config: configVerb,
  status: statusVerb,
  stop: stopVerb,
  ingest: ingestVerb,
  query: queryVerb,
  retrieve: retrieveVerb,
  eval: evalVerb,
  index: indexVerb,
  completion: makeCompletionVerb(() => verbs),
};
