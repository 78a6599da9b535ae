/** The number of a dead child has gone to a stranger, who is left alone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fault, NotHere } from './fault.ts';
import { checkout } from './world.ts';

const fixture = join(checkout, 'test/fixtures/children/meets-its-number-again.ts');

/** Containment plays no part: the kernel lets a number be chosen in a new pid namespace only. */
fault(
  { list: 8, fault: 'the number of a dead child is used again', of: 'tree', modes: ['guard'] },
  async (world) => {
    const since = performance.now();
    const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
    const child = spawn('unshare', [...unshare, process.execPath, fixture], {
      ...world.as,
      env: world.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [said, complained] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    if (said === '') throw new NotHere(`no number can be chosen: ${complained.trim().split('\n')[0]}`);
    const { met, outcome, lives } = JSON.parse(said) as Record<string, unknown>;
    assert.deepEqual({ met, outcome, lives }, { met: true, outcome: 'already-empty', lives: true });
    return { outcome: 'goes on', ms: performance.now() - since };
  },
);
