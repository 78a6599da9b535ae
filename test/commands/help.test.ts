/** Help: every verb has examples, and every example is one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { helpOf, overview } from '../../src/commands/help.ts';
import { commonFlags, type Verb } from '../../src/commands/verb.ts';
import { verbs } from '../../src/commands/verbs.ts';
import { parseCommandLine } from '../../src/config/flags.ts';
import { load } from '../../src/config/load.ts';
import { makeIntent } from '../../src/job/prepare/intent.ts';
import { plain } from '../../src/observe/paint.ts';

/** Examples write into it. */
const home = mkdtempSync(join(tmpdir(), 'rag-help-'));
mkdirSync(join(home, '.config/fish/completions'), { recursive: true });
after(() => rmSync(home, { recursive: true }));

/**
 * What a shell makes of an example: the words of each call of the program. Programs of the example are functions that
 * tell what they were called with.
 */
function callsOf(example: string): string[][] {
  const script = `
node() { printf '%s\\0' "$@" >&3; printf '\\n\\0' >&3; }
srun() { while [[ $1 == -* ]]; do shift; done; "$@"; }
sbatch() { :; }
source() { cat "$1" >/dev/null; }
${example} >/dev/null`;
  const env = { PATH: process.env['PATH'], HOME: home };
  const said = execFileSync('bash', ['-c', `exec 3>&1\n${script}`], { encoding: 'utf8', cwd: home, env });
  const calls: string[][] = [[]];
  for (const word of said.split('\0').slice(0, -1))
    if (word === '\n') calls.push([]);
    else calls.at(-1)?.push(word);
  return calls.slice(0, -1);
}

test('callsOf() reads an example as a shell does', () => {
  assert.deepEqual(callsOf(`A=1 node x.js run --query "a b" 'c*'   # why`), [
    ['x.js', 'run', '--query', 'a b', 'c*'],
  ]);
  assert.deepEqual(callsOf('eval "$(node x.js status --env)"'), [['x.js', 'status', '--env']]);
  assert.deepEqual(callsOf('source <(node x.js completion bash)'), [['x.js', 'completion', 'bash']]);
});

function parsed(words: readonly string[]): { name: string; verb: Verb } {
  const [first = ''] = words;
  const isNamed = first !== '' && !first.startsWith('-');
  const name = isNamed ? first : 'run';
  const verb = verbs[name];
  assert.ok(verb, `there is no verb ${name}`);
  const line = parseCommandLine(isNamed ? words.slice(1) : words, { ...commonFlags, ...verb.flags });
  assert.ok(verb.words !== undefined || line.positionals.length === 0, `${name} takes no words`);
  const [word] = line.positionals;
  if (verb.choices !== undefined) assert.ok(verb.choices.includes(word ?? ''), `${name} ${word}`);
  const { settings } = load({ flags: line.settings, environment: { HOME: '/' }, file: undefined });
  if (name === 'run')
    makeIntent({ settings, query: line.values['query'], workload: line.workload, insideJob: false });
  return { name, verb };
}

for (const [name, verb] of Object.entries(verbs))
  test(`the examples of ${name} are calls of ${name} that can be read`, () => {
    assert.ok(verb.examples.length > 0);
    const calls = verb.examples.flatMap(callsOf);
    const called = calls.map(([program, ...words]) => {
      assert.equal(program, 'dist/supervisor.js');
      return parsed(words).name;
    });
    assert.ok(called.includes(name), `none of them is a call of ${name}`);
  });

test('help fits into 80 columns, but for examples, which are to be pasted', () => {
  for (const columns of [80, 132]) {
    const view = { columns, paint: plain };
    const texts = [
      overview(verbs, view),
      ...Object.entries(verbs).map(([name, verb]) => helpOf(name, verb, view)),
    ];
    for (const text of texts) {
      const [help = '', examples = ''] = text.split('\nExamples:\n');
      assert.deepEqual(
        help.split('\n').filter((line) => line.length > columns),
        [],
      );
      assert.doesNotMatch(examples, /undefined/);
    }
  }
});

test('the overview names every verb', () => {
  const text = overview(verbs, { columns: 80, paint: plain });
  for (const name of Object.keys(verbs)) assert.match(text, new RegExp(`^  ${name} `, 'm'));
});
