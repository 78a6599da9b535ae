/** Completion in the shells themselves: keys are typed on a terminal, and what stands there afterwards is looked at. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bashCompletion } from '../../src/commands/completion-bash.ts';
import { fishCompletion } from '../../src/commands/completion-fish.ts';
import { completedOf } from '../../src/commands/completion-words.ts';
import { zshCompletion } from '../../src/commands/completion-zsh.ts';
import { verbs } from '../../src/commands/verbs.ts';
import { noTerminal, startOnTerminal } from '../terminal.ts';

const completed = completedOf(verbs);
const folder = mkdtempSync(join(tmpdir(), 'rag-completion-'));
after(() => rmSync(folder, { recursive: true }));
for (const [name, make] of Object.entries({ bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }))
  writeFileSync(join(folder, name), make(completed));
mkdirSync(join(folder, 'papers'));
writeFileSync(join(folder, 'questions.jsonl'), '');
const states = join(folder, 'runtime/supervisors');
mkdirSync(states, { recursive: true });
for (const name of ['4711.node17', '$(touch pwned)', '`touch pwned`', 'a b'])
  writeFileSync(join(states, `${name}.json`), '');

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const env = { RAG_RUNTIME_STATE: join(folder, 'runtime'), HOME: folder };

/** What is typed before the Tab, and what the line is after it. */
const cases: [string, string][] = [
  ['rag-allinone stat', 'rag-allinone status '],
  ['rag-allinone run --mo', 'rag-allinone run --mode '],
  ['rag-allinone run --mode in', 'rag-allinone run --mode ingest '],
  ['rag-allinone run --mode=in', 'rag-allinone run --mode=ingest '],
  ['rag-allinone query --stre', 'rag-allinone query --stream '],
  ['rag-allinone index ver', 'rag-allinone index verify '],
  ['rag-allinone query --queries que', 'rag-allinone query --queries questions.jsonl '],
  ['rag-allinone ingest --here pap', 'rag-allinone ingest --here papers/'],
  ['rag-allinone completion fi', 'rag-allinone completion fish '],
  ['rag-allinone status 47', 'rag-allinone status 4711.node17 '],
  ['rag-allinone status --contain', 'rag-allinone status --containment '],
  ['rag-allinone --retriever medc', 'rag-allinone --retriever medcpt '],
  ['rag-allinone run -- mkdi', 'rag-allinone run -- mkdir '],
  ['node dist/supervisor.js docto', 'node dist/supervisor.js doctor '],
  ['node papers/../questi', 'node papers/../questions.jsonl '],
];

test('bash completes verbs, flags, values, actions, jobs and files', { skip: noTerminal }, async () => {
  const bash = ['bash', '--norc', '--noprofile', '-i'];
  await using terminal = startOnTerminal(bash, {
    columns: 200,
    rows: 60,
    env: { ...env, PS1: '> ' },
    cwd: folder,
  });
  terminal.type("PS1='> '; bind 'set bell-style none'; source ./bash; clear\\n");
  await terminal.until('the prompt', (lines) => lines.at(-1)?.trim() === '>' || lines.length === 0);
  for (const [typed, wanted] of cases) {
    terminal.type(`${typed}\t`);
    const lines = await terminal.until(`${typed} -> ${wanted}`, (all) =>
      `${all.at(-1)} `.startsWith(`> ${wanted}`),
    );
    assert.equal(`${lines.at(-1)} `.slice(2).trimEnd(), wanted.trimEnd());
    terminal.type('^U');
    await terminal.until('an empty line', (all) => all.at(-1) === '>');
  }
});

test('names of files that are commands for a shell are not run by a Tab', () => {
  const list =
    'source ./bash; COMP_WORDS=(rag-allinone status ""); COMP_CWORD=2; _rag_allinone; echo "${COMPREPLY[@]}"';
  const said = execFileSync('bash', ['-c', list], {
    cwd: folder,
    env: { ...env, PATH: process.env['PATH'] },
  });
  assert.equal(said.toString().trim(), '4711.node17');
  assert.equal(existsSync(join(folder, 'pwned')), false);
});

test(
  'zsh completes verbs, flags, values and jobs',
  { skip: noTerminal || (!has('zsh') && 'there is no zsh') },
  async () => {
    const zsh = ['zsh', '-f', '-i'];
    await using terminal = startOnTerminal(zsh, {
      columns: 200,
      rows: 60,
      env: { ...env, PS1: '> ' },
      cwd: folder,
    });
    terminal.type("PROMPT='> '; PROMPT_EOL_MARK=; unsetopt beep; source ./zsh; clear\\n");
    await terminal.until('the prompt', (lines) => lines.at(-1) === '>');
    for (const [typed, wanted] of cases.filter(
      ([line]) => !line.startsWith('node') && !line.includes(' -- '),
    )) {
      terminal.type(`${typed}\t`);
      // Behind a flag that takes a value zsh puts `=`.
      const isSo = (line = ''): boolean => `${line} `.replace(/= $/, ' ') === `> ${wanted.trimEnd()} `;
      await terminal.until(`${typed} -> ${wanted}`, (all) => isSo(all.at(-1)));
      terminal.type('^U');
      await terminal.until('an empty line', (all) => all.at(-1) === '>');
    }
  },
);

test(
  'fish completes verbs, flags, values, actions and jobs',
  { skip: !has('fish') && 'there is no fish' },
  () => {
    const asked = cases.filter(([line]) => !line.startsWith('node') && !line.includes(' -- '));
    for (const [typed, wanted] of asked) {
      const script = `source ./fish; complete -C ${JSON.stringify(typed)}`;
      const said = execFileSync('fish', ['--no-config', '-c', script], {
        cwd: folder,
        env: { ...env, PATH: process.env['PATH'] },
      });
      const words = said
        .toString()
        .split('\n')
        .map((line) => line.split('\t')[0]);
      const word = wanted.trimEnd().split(' ').at(-1);
      assert.ok(words.includes(word), `${typed}: ${words.join(' ')}`);
    }
  },
);

test('every verb and every flag of its help is completed', () => {
  const bash = bashCompletion(completed);
  for (const { name, flags } of completed.verbs) {
    assert.match(bash, new RegExp(`^rag_allinone_verbs='.*\\b${name}\\b`, 'm'));
    const line = new RegExp(`^ {4}${name}\\) echo '(.*)' ;;$`, 'm').exec(bash)?.[1] ?? '';
    assert.deepEqual(
      line.split(' '),
      flags.map((flag) => `--${flag.name}`),
      name,
    );
  }
});

test('a flag is a switch or takes a value, whichever verb it is given to', () => {
  const kinds = Map.groupBy(
    completed.verbs.flatMap(({ flags }) => flags),
    ({ name }) => name,
  );
  for (const [name, flags] of kinds)
    assert.equal(new Set(flags.map(({ takesValue }) => takesValue)).size, 1, name);
});
