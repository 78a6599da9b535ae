/**
 * Ends this process soon after its parent is gone. Second net: the kernel's death signal is lost when the parent
 * dies before it is asked for, and some systems have none.
 */
export function leaveWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, 1_000).unref();
}
