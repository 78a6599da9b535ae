/** The log names of the scripts that this program replaces, as links to where the logs are now. */
import { rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { instancesIn } from '../../plan/layouts.ts';
import type { Layout, Plan } from '../../plan/types.ts';

/**
 * Of several jobs the one that started last has the name. It is decoration: what cannot be linked is left out.
 * @param layout of a plan with two the one whose servers have been started
 */
export async function linkOldNames(
  logRoot: string,
  logs: string,
  plan: Pick<Plan, 'engine' | 'instances'>,
  layout: Layout,
): Promise<void> {
  const server = instancesIn(plan, layout).find(({ id }) => id.startsWith('ollama-'));
  if (plan.engine !== 'ollama' || server === undefined) return;
  const link = join(logRoot, 'ollama-serve.log');
  const beside = join(dirname(link), `.${basename(link)}.${process.pid}`);
  try {
    await symlink(relative(logRoot, join(logs, `${server.id}.log`)), beside);
    await rename(beside, link);
  } catch {
    await rm(beside, { force: true });
  }
}
