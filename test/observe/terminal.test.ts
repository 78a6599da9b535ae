import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord, withoutControls } from '../../src/observe/terminal.ts';

test('a pasted name is one word to bash, whatever is in it', () => {
  const names = ['plain.txt', 'a b$(id)`id`.txt', "it's; echo no '.txt", 'a\\b\n\u001B[2J\u0085é.txt', "\\'"];
  for (const name of names) {
    const word = shellWord(name);
    const read = execFileSync('bash', ['-c', `printf %s ${word}`], { env: { LC_ALL: 'C.UTF-8' } });
    assert.equal(read.toString(), name, word);
    assert.match(word, /^[^\p{Cc}]+$/u, 'it reaches the terminal as it is');
  }
  assert.equal(shellWord('plain.txt'), "'plain.txt'");
});

test('what reaches a terminal neither moves its cursor nor turns its text round', () => {
  assert.equal(withoutControls('a\u001B[2J\u009B31m\r\u0007b\u202Ec\u2066d\n\te'), 'a[2J31mbcd\n\te');
});
