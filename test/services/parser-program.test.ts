import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf, RagError } from '../../src/errors.ts';
import { findParserProgram, type ParserProgram, saidBy } from '../../src/services/parser-program.ts';
import type { CommandEnd } from '../../src/supervise/command.ts';

const exited = (code: number, ...tail: string[]): CommandEnd => ({
  outcome: 'exited',
  exit: { code, signal: null },
  tail,
});

/** With programs of these names on PATH, which say that of their version. */
async function find(setting: string, names: readonly string[], says?: CommandEnd): Promise<ParserProgram> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'programs-'));
  for (const name of names) await writeFile(join(folder.path, name), '', { mode: 0o755 });
  const found = await findParserProgram(
    setting.replace('HERE', folder.path),
    folder.path,
    async (command) => {
      assert.deepEqual(command.slice(1), ['--version']);
      return says ?? assert.fail('it is not asked');
    },
  );
  return {
    name: found.name,
    command: (input, output) =>
      found.command(input, output).map((word) => word.replace(folder.path, 'HERE')) as [string],
  };
}

const failure = async (work: Promise<unknown>): Promise<RagError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RagError, String(error));
  return error;
};

test('Docling and MinerU are known by name or path, and named with their version', async () => {
  const docling = await find(
    'docling',
    ['docling'],
    exited(0, 'a warning', 'Docling version: 2.143.0', 'Python: 3.12'),
  );
  assert.equal(docling.name, 'docling-2.143');
  assert.equal(
    docling.command('/in/$&.pdf', '/out').join(' '),
    'HERE/docling --to json --image-export-mode placeholder --output /out /in/$&.pdf',
  );
  const mineru = await find('HERE/mineru', ['mineru'], exited(0, 'mineru, version 3.4.5'));
  assert.equal(mineru.name, 'mineru-3.4');
  assert.equal(mineru.command('/a.pdf', '/out').join(' '), 'HERE/mineru -p /a.pdf -o /out -b pipeline');
  assert.equal((await find('docling', ['docling'], exited(0, 'no word of it'))).name, 'docling');
});

test('a command of the user is taken as it is, without a shell, and named by its words', async () => {
  const words = 'my.sh --in={input} two\\ words $HOME {output}';
  const mine = await find(words, ['my.sh']);
  assert.deepEqual(mine.command('/a b.pdf', '/out'), [
    'HERE/my.sh',
    '--in=/a b.pdf',
    'two words',
    '$HOME',
    '/out',
  ]);
  assert.match(mine.name, /^my\.sh-[0-9a-f]{8}$/);
  assert.equal((await find(`HERE/${words}`, ['my.sh'])).name, mine.name);
  assert.notEqual((await find(`${words} --fast`, ['my.sh'])).name, mine.name);
});

test('what is not there, or does not work, is said with the line that mends it', async () => {
  const missing = await failure(find('mineru', []));
  assert.equal(codeOf(missing), 'preflight');
  assert.match(missing.message, /RAG_PARSER=mineru: there is no such program/);
  assert.match(missing.hint ?? '', /pip install "mineru\[core\]<4"/);
  // One of that name elsewhere is not the one that was asked for.
  assert.match((await failure(find('/nowhere/sh {input} {output}', []))).message, /no such program/);
  const broken = await failure(
    find('docling', ['docling'], exited(1, "ModuleNotFoundError: No module named 'torch'")),
  );
  assert.match(
    broken.message,
    /--version` exited with code 1: ModuleNotFoundError.*one that works is wanted/,
  );
  assert.equal(broken.hint, 'pip install docling');
  assert.match(
    (await failure(find('docling', ['docling'], { outcome: 'timed-out', timeoutMs: 2000, tail: [] })))
      .message,
    /took longer than 2 s/,
  );
  const stopped = await failure(find('docling', ['docling'], { outcome: 'aborted', tail: [] }));
  assert.equal(codeOf(stopped), 'aborted');
});

test('MinerU 4, which writes no list of contents, is refused with both ways out', async () => {
  const error = await failure(
    find('mineru', ['mineru'], exited(0, 'MinerU version: 4.0.12', 'Python version: 3.12.1')),
  );
  assert.match(error.message, /version 4\.0: it writes no list/);
  assert.match(error.hint ?? '', /<4.*mineru-kit parse \{input\}/);
});

test('the last words of a program are one short line without colours and frames', () => {
  assert.equal(saidBy(exited(1, 'Error: x', '╰─────╯')), 'exited with code 1: Error: x');
  assert.equal(saidBy(exited(2, '│ No such option: --to │', '')), 'exited with code 2: No such option: --to');
  assert.equal(saidBy(exited(1)), 'exited with code 1');
  assert.ok(saidBy(exited(1, 'y'.repeat(5000))).length < 330);
  assert.doesNotMatch(saidBy(exited(1, 'a\u0007b\u001b[2Jc')), /\p{Cc}/u);
});
