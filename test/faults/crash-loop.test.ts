/** A service that ends as often as it is started is given up, with its reason; a wrong setting is not tried twice. */
import assert from 'node:assert/strict';
import { fault } from './fault.ts';
import { plays, supervise } from './supervised.ts';

for (const { what, code, fatalCode, spawns, reason } of [
  {
    what: 'a service that exits at once, always',
    code: '7',
    fatalCode: 78,
    spawns: 6,
    reason: /with code 7, after 5 restarts/,
  },
  {
    what: 'a service whose settings are wrong',
    code: '78',
    fatalCode: 78,
    spawns: 1,
    reason: /its settings are wrong/,
  },
])
  fault({ list: 4, fault: what, of: 'tree' }, async (world) => {
    const since = performance.now();
    const command = plays('exits.sh', code);
    const supervised = await supervise(world, [{ id: 'service', command, significant: true, fatalCode }]);
    const { message, hint } = await supervised.untilTold('tree', { how: 'failed' });
    const ms = performance.now() - since;
    assert.match(String(message), reason);
    assert.match(String(hint), new RegExp(`^exits with ${code}$`, 'm'), 'the last lines of its log');
    assert.equal(supervised.events.filter(({ event }) => event === 'spawned').length, spawns);
    supervised.signal('SIGTERM');
    await supervised.ended;
    return { outcome: 'refused', ms, detail: `${spawns} starts` };
  });
