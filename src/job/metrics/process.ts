/** What the supervisor itself costs, under the names that every client library gives. The services are not in it. */
import { readdirSync } from 'node:fs';
import { type Asked, only } from './asked.ts';

/**
 * The library has these, too, but with them a timer of 10 ms for the delay of the event loop: more work than an idle
 * supervisor does.
 */
export function addProcess({ gauge, counter }: Asked): void {
  counter(
    'process_cpu_seconds_total',
    'User and system CPU time of the supervisor.',
    [],
    only(() => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
  );
  gauge(
    'process_start_time_seconds',
    'When the supervisor started, in seconds since 1970.',
    [],
    only(() => startedAt),
  );
  gauge(
    'process_resident_memory_bytes',
    'Resident memory of the supervisor.',
    [],
    only(() => process.memoryUsage.rss()),
  );
  gauge('process_open_fds', 'Open file descriptors of the supervisor.', [], only(openDescriptors));
  gauge(
    'nodejs_heap_size_used_bytes',
    'Memory of JavaScript objects that is in use.',
    [],
    only(() => process.memoryUsage().heapUsed),
  );
  counter(
    'nodejs_eventloop_active_seconds_total',
    'For how long the event loop was at work.',
    [],
    only(() => performance.eventLoopUtilization().active / 1000),
  );
}

const startedAt = (Date.now() - performance.now()) / 1000;

function openDescriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}
