import { readFileSync } from 'node:fs';

/** What a process has where nobody says more. */
const usual = 1024;

/** How many files and sockets this process may have open at once: `ulimit -n`. Infinity where there is no limit. */
export function mostOpenFiles(
  read: () => string = () => readFileSync('/proc/self/limits', 'latin1'),
): number {
  try {
    const value = /^Max open files\s+(\S+)/m.exec(read())?.[1];
    return value === 'unlimited' ? Infinity : Number(value ?? usual);
  } catch {
    return usual;
  }
}
