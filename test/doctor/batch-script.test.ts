import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { judgeScript, judgeTime, readDirectives } from '../../src/doctor/batch-script.ts';

const folder = join(import.meta.dirname, '../../sbatch');

test('the scripts that come with the program are without fault', async () => {
  const scripts = globSync('*.sbatch', { cwd: folder });
  assert.ok(scripts.length > 3);
  for (const name of scripts)
    assert.deepEqual(judgeScript(await readFile(join(folder, name), 'utf8')), [], name);
});

test('directives are read in every spelling, and none after the first command', () => {
  const text =
    '#!/bin/bash\n#SBATCH --time=1-00:00 --requeue # a day\n#SBATCH -p gpu\necho\n#SBATCH --time=9\n';
  assert.deepEqual(Object.fromEntries(readDirectives(text)), {
    time: '1-00:00',
    requeue: '',
    partition: 'gpu',
  });
});

test('what costs work at the wall time is told', () => {
  const script = (directives: string, body: string): string => `#!/bin/bash\n${directives}\n${body}\n`;
  const whatOf = (text: string): string[] => judgeScript(text).map(({ what }) => what.slice(0, 30));
  const body = "trap '' USR2\nexec node dist/supervisor.js";
  assert.deepEqual(judgeScript(script('#SBATCH --signal=B:USR2@120', body)), []);
  assert.deepEqual(judgeScript(script('#SBATCH --signal=RB:SIGUSR2@300', body)), []);
  assert.deepEqual(whatOf(script('', body)), ['no --signal: at the wall time ']);
  assert.deepEqual(whatOf(script('#SBATCH --signal=USR2@120', body)), ['--signal=USR2@120: the supervi']);
  assert.deepEqual(whatOf(script('#SBATCH --signal=B:USR2@120', 'exec node dist/supervisor.js')), [
    'bash dies of the warning when ',
  ]);
  assert.deepEqual(whatOf(script('#SBATCH --signal=B:USR2@120', 'node dist/supervisor.js')), [
    'the supervisor is not started ',
  ]);
  assert.deepEqual(whatOf(script('#SBATCH --signal=B:USR2@120 --requeue', body)), [
    'a requeued job starts its log ',
  ]);
  assert.equal(judgeScript('#!/bin/bash\r\n#SBATCH --signal=B:USR2@9\r\n')[0]?.state, 'failure');
});

test('supervisors in a step get the warning without "B:", under a shell that does not end of TERM', () => {
  const script = (signal: string, trap: string): string =>
    `#!/bin/bash\n#SBATCH --signal=${signal}\ntrap '' ${trap}\nsrun node dist/supervisor.js run\n`;
  assert.deepEqual(judgeScript(script('USR2@120', 'USR2 TERM')), []);
  assert.equal(judgeScript(script('B:USR2@120', 'USR2 TERM')).length, 1);
  assert.equal(judgeScript(script('USR2@120', 'USR2'))[0]?.state, 'failure');
});

test('a script that passes the warning on itself wants it for itself', () => {
  const script = (signal: string): string =>
    `#!/bin/bash\n#SBATCH --signal=${signal}\ntrap '' USR2 TERM\nsrun node dist/supervisor.js run &\ntrap warn USR2\n`;
  assert.deepEqual(judgeScript(script('B:USR2@300')), []);
  assert.match(judgeScript(script('USR2@300'))[0]?.what ?? '', /wants to pass the warning on/);
});

test('a time above the limit of its partition is found before the job waits for ever', () => {
  const gpu = 'PartitionName=gpu AllowGroups=ALL Default=YES MaxTime=1-00:00:00 State=UP';
  const long = 'PartitionName=long Default=NO MaxTime=UNLIMITED State=UP';
  const stateOf = (time: string, shown: string): string | undefined => judgeTime(time, shown)[0]?.state;
  assert.equal(stateOf('24:00:00', gpu), 'ok');
  assert.equal(stateOf('2-00', `${long}\n${gpu}`), 'failure');
  assert.equal(stateOf('1441', gpu), 'failure');
  assert.equal(stateOf('30-0', long), 'ok');
  assert.equal(stateOf('UNLIMITED', long), 'ok');
  assert.match(judgeTime('infinite', gpu)[0]?.what ?? '', /is above the limit of partition gpu/);
  assert.equal(stateOf('tomorrow', gpu), 'failure');
});
