/** Runs whose documents stay as they are. Pure. */
import { RagError } from '../../errors.ts';
import type { Plan } from '../../plan/types.ts';
import type { Prepared } from './prepare.ts';

/** @returns the error for who would change them; undefined for a run that serves and takes new ones */
export function whyFrozen({
  intent,
  settings,
  plan,
}: Pick<Prepared, 'intent' | 'settings'> & { readonly plan: Pick<Plan, 'embedder' | 'instances'> }):
  | RagError
  | undefined {
  const embeds = plan.embedder === 'none' || plan.instances.some(({ role }) => role === 'embed');
  const why =
    reasonOf(intent.kind, settings.RAG_INDEX_VERSION) ?? (embeds ? undefined : 'it has no embedder');
  if (why === undefined) return undefined;
  return new RagError(
    'frozen',
    `Cannot change the documents of this job: ${why}; a job that serves is wanted`,
    {
      hint: 'sbatch sbatch/rag_allinone.sbatch   # or in place: node dist/supervisor.js ingest --here PATH',
    },
  );
}

function reasonOf(kind: Prepared['intent']['kind'], version: string | undefined): string | undefined {
  if (kind === 'workload') return 'its workload finds the same passages from its first question to its last';
  if (kind === 'given') return 'it does what it was given, then it ends';
  return version === undefined
    ? undefined
    : `it answers from the version "${version}", which is never changed`;
}
