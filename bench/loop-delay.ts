/** Preloaded into the program: how late its event loop was, by a timer of one millisecond. In the main thread only. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** In milliseconds. */
export interface LoopRecord {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const file = process.env['LOOP_RECORD'];
if (file !== undefined && isMainThread && process.argv[1]?.endsWith('supervisor.js') === true) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  process.on('exit', () => {
    const [p50 = 0, p99 = 0, max = 0] = [delay.percentile(50), delay.percentile(99), delay.max].map(
      (nanoseconds) => nanoseconds / 1e6,
    );
    writeFileSync(file, JSON.stringify({ p50, p99, max } satisfies LoopRecord));
  });
}
