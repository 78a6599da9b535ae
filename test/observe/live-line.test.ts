/** The last line of a terminal, by what is written to it; test/journeys/terminal.test.ts has a real one. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import xterm from '@xterm/headless';
import { openTerminal, type TerminalStream } from '../../src/observe/live-line.ts';
import { openScreen, type ScreenStream } from '../../src/observe/screen.ts';

interface Screen extends TerminalStream, ScreenStream {
  readonly writes: string[];
  seen(): Promise<string[]>;
  resize(columns: number, rows: number): void;
}

/** A screen that has what is written on it. */
function makeScreen(columns: number, rows = 10): Screen {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const events = new EventEmitter();
  const writes: string[] = [];
  return {
    writes,
    get columns() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
    write: (text) => {
      writes.push(text);
      terminal.write(text.replaceAll('\n', '\r\n'));
      return true;
    },
    on: (name, listener) => events.on(name, listener),
    off: (name, listener) => events.off(name, listener),
    resize: (width, height) => {
      terminal.resize(width, height);
      events.emit('resize');
    },
    seen: () =>
      new Promise((resolve) => {
        terminal.write('', () => {
          const { active } = terminal.buffer;
          const lines = Array.from(
            { length: active.length },
            (_, at) => active.getLine(at)?.translateToString(true) ?? '',
          );
          while (lines.at(-1) === '') lines.pop();
          resolve(lines);
        });
      }),
  };
}

test('what is told goes above the live line, which stays the last', async () => {
  const screen = makeScreen(40);
  const terminal = openTerminal(screen);
  terminal.tell('first');
  const line = terminal.openLine();
  line.show(() => 'one of three');
  terminal.tell('second');
  terminal.above(() => screen.write('a result\n'));
  assert.deepEqual(await screen.seen(), ['first', 'second', 'a result', 'one of three']);
  line[Symbol.dispose]();
  terminal.tell('third');
  assert.deepEqual(await screen.seen(), ['first', 'second', 'a result', 'one of three', 'third']);
});

test('a line is drawn at most ten times a second, and its last state is not lost', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const screen = makeScreen(40);
  const line = openTerminal(screen).openLine();
  for (let done = 1; done <= 1000; done += 1) line.show(() => `${done} of 1000`);
  assert.ok(screen.writes.filter((text) => text.includes(' of 1000')).length <= 2);
  context.mock.timers.tick(100);
  assert.match(screen.writes.at(-1) ?? '', /1000 of 1000/);
  line[Symbol.dispose]();
});

test('a line is cut to the terminal, also when that becomes narrower, and never wraps', async () => {
  const screen = makeScreen(40);
  const terminal = openTerminal(screen);
  const line = terminal.openLine();
  line.show((columns) => 'x'.repeat(columns + 10));
  assert.deepEqual(await screen.seen(), [`${'x'.repeat(36)}...`]);
  screen.resize(60, 10);
  assert.deepEqual(await screen.seen(), [`${'x'.repeat(56)}...`]);
  screen.resize(20, 10);
  terminal.tell('told');
  const lines = await screen.seen();
  assert.equal(lines.at(-1), `${'x'.repeat(16)}...`);
  assert.ok(lines.includes('told'));
  line[Symbol.dispose]();
});

test('the cursor is hidden only while a line is live, and comes back when the process ends', () => {
  const screen = makeScreen(40);
  const before = process.listenerCount('exit');
  const line = openTerminal(screen).openLine();
  assert.equal(process.listenerCount('exit'), before, 'nothing is shown yet');
  line.show(() => 'x');
  assert.equal(process.listenerCount('exit'), before + 1);
  assert.ok(screen.writes.join('').includes('\u001B[?25l'));
  line[Symbol.dispose]();
  line[Symbol.dispose]();
  assert.equal(process.listenerCount('exit'), before);
  assert.equal(screen.writes.filter((text) => text.includes('\u001B[?25h')).length, 1);
});

test('of two lines the one that shows something takes the place of the other, which stays above it', async () => {
  const screen = makeScreen(40);
  const terminal = openTerminal(screen);
  using bar = terminal.openLine();
  using steps = terminal.openLine();
  bar.show(() => 'all documents');
  steps.show(() => 'some questions');
  assert.deepEqual(await screen.seen(), ['all documents', 'some questions']);
});

test('a screen is drawn in place, cut to its size, and what was there before comes back', async () => {
  const screen = makeScreen(20, 5);
  screen.write('before\n');
  {
    using whole = openScreen(screen);
    whole.draw((columns) => ['one', 'x'.repeat(columns + 5), 'three']);
    assert.deepEqual(await screen.seen(), ['one', `${'x'.repeat(17)}...`, 'three']);
    whole.draw(() => ['1', '2', '3', '4', '5', '6', '7']);
    assert.deepEqual(await screen.seen(), ['1', '2', '3', '4', '... 3 more lines:...']);
    screen.resize(40, 8);
    assert.deepEqual(await screen.seen(), ['1', '2', '3', '4', '5', '6', '7']);
    whole.draw(() => ['short']);
    assert.deepEqual(await screen.seen(), ['short']);
  }
  assert.deepEqual(await screen.seen(), ['before']);
});
