/** However a service's processes hide: an ordinary stop and a kill -9 of the supervisor leave none of them. */
import assert from 'node:assert/strict';
import { fault } from './fault.ts';
import { plays, supervise } from './supervised.ts';
import { commandOf, kill, until, untilNone, type World } from './world.ts';

interface Shape {
  readonly shape: string;
  readonly fixture: string;
  /** Nothing of it tells that it is ours but the namespace that it lives in. */
  readonly hides?: 'always' | 'after a kill';
}

const shapes: readonly Shape[] = [
  { shape: 'a child', fixture: 'sleeps.sh' },
  { shape: 'a child in a session of its own', fixture: 'escapes-its-session.sh' },
  { shape: 'a double fork', fixture: 'orphans-a-child.sh' },
  { shape: 'a daemon', fixture: 'daemonizes.sh' },
  { shape: 'a child without an environment', fixture: 'sheds-its-environment.sh', hides: 'after a kill' },
  { shape: 'a daemon without an environment', fixture: 'sheds-its-mark.sh', hides: 'always' },
  { shape: 'a stopped child', fixture: 'stops-itself.sh' },
  { shape: 'a child that ignores TERM', fixture: 'ignores-term.sh' },
  { shape: 'a child that forks without end', fixture: 'forks-without-end.sh' },
  { shape: 'a child that forks when told to end', fixture: 'forks-when-told-to-end.sh' },
  { shape: 'a leader that obeys TERM before its child', fixture: 'obeys-term-before-its-child.sh' },
];

const shed = (world: World): number[] =>
  world.everyone().filter((pid) => commandOf(pid) === `sleep 60.${world.unique}`);

for (const { shape, fixture, hides } of shapes)
  for (const end of ['stop', 'kill -9 of the supervisor'] as const)
    fault({ list: 2, fault: `${shape}: ${end}`, of: 'tree' }, async (world) => {
      const command = plays(fixture, `60.${world.unique}`);
      const supervised = await supervise(world, [{ id: 'service', command }]);
      await supervised.untilTold('ready');
      if (hides !== undefined) await until('the hidden one', () => shed(world)[0]);
      world.adopt(supervised.guard());
      const since = performance.now();
      if (end === 'stop') supervised.signal('SIGTERM');
      else kill(supervised.pid);
      const { code } = await supervised.ended;
      if (end === 'stop') assert.equal(code, 0);
      const isGap = world.mode === 'guard' && (hides === 'always' || (hides !== undefined && end !== 'stop'));
      await untilNone(() => world.marked());
      const ms = performance.now() - since;
      if (isGap) assert.equal(shed(world).length, 1, 'the gap is closed: say so in the documents');
      else await untilNone(() => world.everyone());
      return isGap
        ? { outcome: 'gap', ms, detail: 'a process without the mark is left' }
        : { outcome: 'clean', ms };
    });
