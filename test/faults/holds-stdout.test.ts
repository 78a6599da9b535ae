/** A daemon of the service keeps its output open: the exit is noticed all the same, and at once. */
import assert from 'node:assert/strict';
import { fault } from './fault.ts';
import { plays, supervise } from './supervised.ts';

fault(
  { list: 7, fault: 'a grandchild holds stdout after the exit', of: 'tree', repeated: true, atMostMs: 1000 },
  async (world) => {
    const command = plays('escapes-with-stdout.sh');
    const since = performance.now();
    const supervised = await supervise(world, [{ id: 'service', command, restart: 'temporary' }]);
    const { code } = await supervised.untilTold('exited');
    const ms = performance.now() - since;
    assert.equal(code, 3);
    supervised.signal('SIGTERM');
    await supervised.ended;
    return { outcome: 'noticed', ms };
  },
);
