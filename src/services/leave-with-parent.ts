/**
 * What every program of ours that serves does. It ends soon after its parent is gone: a second net, because the kernel's
 * death signal is lost when the parent dies before it is asked for, and some systems have none. And it does not end of
 * the wall-time warning, which Slurm sends to everything below a task of a step.
 */
export function leaveWithParent(): void {
  process.on('SIGUSR2', () => undefined);
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, 1_000).unref();
}
