/** The documents of a running supervisor. */
import { z } from 'zod';
import type { Connection } from './connection.ts';

const removedSchema = z.object({ removed: z.number(), documents: z.array(z.string()) });

export type Removed = z.infer<typeof removedSchema>;

/**
 * @param names keys, globs of keys, `file:` and an absolute path
 * @throws what the supervisor says; service-failed, aborted
 */
export async function removeThere(
  connection: Connection,
  {
    names,
    dryRun,
    signal,
  }: { readonly names: readonly string[]; readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Removed> {
  return connection.askJson('/documents/remove', { json: { names, dry_run: dryRun }, signal }, removedSchema);
}

const statusSchema = z.looseObject({
  /** Its index; absent from one of an older version. */
  index: z.string().optional(),
  answers_at_once: z.number().optional(),
});

/** What a client has to know of a supervisor. @throws as above */
export async function readStatus(
  connection: Connection,
  signal: AbortSignal,
): Promise<z.infer<typeof statusSchema>> {
  return connection.askJson('/status', { signal }, statusSchema);
}
