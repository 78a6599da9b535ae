import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** Bytes that this process may use: the machine's memory, or the least of the limits of the cgroups it lives in. */
export async function readHostMemory(root = '/sys/fs/cgroup', own = '/proc/self/cgroup'): Promise<number> {
  const files = limitFiles(await readFile(own, 'utf8').catch(() => ''), root);
  const limits = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  // `max`, and an absent file, are no limit.
  return Math.min(
    totalmem(),
    ...limits.map((text) => Number.parseInt(text, 10)).filter((bytes) => bytes > 0),
  );
}

/** @param cgroups lines `N:controllers:/path`; version 2 has one, with number 0 and no controllers */
export function limitFiles(cgroups: string, root: string): string[] {
  const files: string[] = [];
  for (const line of cgroups.split('\n')) {
    const [, number, controllers = '', path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const isUnified = number === '0' && controllers === '';
    if (!isUnified && !controllers.split(',').includes('memory')) continue;
    const [base, name] = isUnified ? [root, 'memory.max'] : [join(root, 'memory'), 'memory.limit_in_bytes'];
    for (let at = path; ; at = dirname(at)) {
      files.push(join(base, at, name));
      if (at === '/') break;
    }
  }
  return files;
}
