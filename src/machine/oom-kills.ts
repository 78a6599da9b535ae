import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * How many processes the kernel has killed because the cgroup of this job was out of memory, since the cgroup was made.
 * Null where nobody counts them: without cgroups, or with version 1 before Linux 4.13.
 */
export async function readOomKills(
  root = '/sys/fs/cgroup',
  own = '/proc/self/cgroup',
): Promise<number | null> {
  for (const file of countingFiles(await readFile(own, 'utf8').catch(() => ''), root)) {
    const count = /^oom_kill (\d+)$/m.exec(await readFile(file, 'utf8').catch(() => ''))?.[1];
    if (count !== undefined) return Number(count);
  }
  return null;
}

/**
 * The job's, not the step's: a step's own may be gone with it.
 * @param cgroups lines `N:controllers:/path`, as of /proc/self/cgroup
 */
export function countingFiles(cgroups: string, root: string): string[] {
  return cgroups.split('\n').flatMap((line) => {
    const [, number, controllers = '', path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    const job = /^.*\/job_\d+/.exec(path)?.[0] ?? path;
    if (number === '0' && controllers === '')
      return [join(root, job, 'memory.events'), join(root, dirname(job), 'memory.events')];
    return controllers.split(',').includes('memory') ? [join(root, 'memory', job, 'memory.oom_control')] : [];
  });
}
