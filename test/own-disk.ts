import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';

const alone = ['--user', '--map-root-user', '--mount'];

/**
 * What a program prints, as JSON, that mounts a small disk of its own. Undefined, and the test is skipped, where
 * this machine lets nobody mount.
 */
export function printedWithOwnDisk(context: TestContext, program: string): unknown {
  const tried = spawnSync('unshare', [...alone, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], {
    encoding: 'utf8',
  });
  if (tried.status !== 0) {
    context.skip(`no file system of its own: ${tried.error?.message ?? tried.stderr.trim()}`);
    return undefined;
  }
  return JSON.parse(execFileSync('unshare', [...alone, process.execPath, program], { encoding: 'utf8' }));
}
