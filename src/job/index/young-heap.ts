import { setFlagsFromString } from 'node:v8';

/**
 * An ingest makes garbage as fast as it reads, and V8 lets the young generation grow with it: 100 MiB more for a
 * long ingest than for a short one, and no CPU less. Its limit can only be given when a process is started, its
 * growth also later.
 */
export const keepYoungHeap = (): void => setFlagsFromString('--semi-space-growth-factor=1');
