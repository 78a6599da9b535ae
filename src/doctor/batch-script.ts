/** A batch script before it is submitted: what bash, sbatch and the partition say, and what costs work at the wall time. */
import { readFile } from 'node:fs/promises';
import type { Environment } from '../config/load.ts';
import { messageOf } from '../errors.ts';
import { askProgram } from '../machine/question.ts';
import { runSlurm } from '../slurm/command.ts';
import { parseDuration } from '../slurm/time.ts';
import { failure, type Finding, firstLine, ok, warning } from './types.ts';

export interface BatchScript {
  readonly file: string;
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

const about = 'batch script';
const timeoutMs = 20_000;

export async function lookAtBatchScript({ file, environment, signal }: BatchScript): Promise<Finding[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => messageOf(error));
  if (!text.startsWith('#!'))
    return [
      failure(
        about,
        `${file} is no script: its first line is no #!`,
        `head -1 ${file}   # #!/bin/bash is wanted`,
      ),
    ];
  const syntax = await askProgram(['bash', '-n', file], { timeoutMs, signal });
  if (syntax.outcome === 'failed') return [failure(about, firstLine(syntax.why), `bash -n ${file}`)];
  const options = { env: environment, timeoutMs, signal };
  return [
    ok(about, `${file}: bash can read it`),
    ...judgeScript(text),
    ...(await lookAtTime(text, options)),
    await testOnly(file, options),
  ];
}

/** Options of sbatch as the script gives them, the later of two in force. */
export function readDirectives(text: string): ReadonlyMap<string, string> {
  const short: Readonly<Record<string, string>> = {
    t: 'time',
    p: 'partition',
    N: 'nodes',
    o: 'output',
    c: 'cpus-per-task',
    J: 'job-name',
  };
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (/^\s*[^#\s]/.test(line)) break; // sbatch reads none after the first command
    const words = /^#SBATCH\s+(.*)$/.exec(line)?.[1]?.replace(/\s#.*$/, '') ?? '';
    for (const [, long, name = '', value = ''] of words.matchAll(
      /(--)?(?:-)?([\w-]+)(?:[=\s]\s*([^-\s]\S*))?/g,
    ))
      found.set(long === undefined ? (short[name] ?? name) : name, value);
  }
  return found;
}

/** What a script of one's own easily forgets; each cost somebody a night. */
export function judgeScript(text: string): Finding[] {
  const given = readDirectives(text);
  const commands = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n');
  const warned = given.get('signal');
  const findings: Finding[] = [];
  if (text.includes('\r\n'))
    findings.push(failure(about, 'its lines end with CR LF, sbatch refuses that', "sed -i 's/\\r$//' FILE"));
  findings.push(
    ...(/\bsrun\b.*supervisor/.test(commands) ? judgeSteps(warned, commands) : judgeBatch(warned, commands)),
  );
  if (given.has('requeue') && given.get('open-mode') !== 'append')
    findings.push(warning(about, 'a requeued job starts its log anew', '#SBATCH --open-mode=append'));
  return findings;
}

const noWarning = warning(
  about,
  'no --signal: at the wall time work is committed within KillWait and nothing is requeued',
  '#SBATCH --signal=B:USR2@120',
);

const toBatchShell = /^(?:R?B|BR):(?:SIG)?USR2@\d+$/;

/** The supervisor is the batch script's own process. */
function judgeBatch(warned: string | undefined, commands: string): Finding[] {
  const findings: Finding[] = [];
  const isExec = /^\s*exec\s/m.test(commands);
  if (warned === undefined) findings.push(noWarning);
  else if (!toBatchShell.test(warned))
    findings.push(
      warning(
        about,
        `--signal=${warned}: the supervisor hears USR2, and without "B:" only steps get it`,
        '#SBATCH --signal=B:USR2@120',
      ),
    );
  if (/supervisor|rag-allinone/.test(commands) && !isExec)
    findings.push(
      failure(
        about,
        'the supervisor is not started by exec: Slurm kills it without a warning where it tracks by cgroup',
        'exec node dist/supervisor.js run "$@"',
      ),
    );
  if (warned !== undefined && isExec && !ignores(commands, 'USR2'))
    findings.push(
      warning(
        about,
        'bash dies of the warning when it comes before exec',
        "trap '' USR2   # before everything else",
      ),
    );
  return findings;
}

/** The supervisors are the tasks of a step. */
function judgeSteps(warned: string | undefined, commands: string): Finding[] {
  const findings: Finding[] = [];
  if (warned === undefined) findings.push(noWarning);
  else if (handles(commands, 'USR2')) {
    if (!toBatchShell.test(warned))
      findings.push(
        warning(
          about,
          `--signal=${warned}: the script wants to pass the warning on, and without "B:" all steps get it and not the script`,
          '#SBATCH --signal=B:USR2@120',
        ),
      );
  } else if (!/^(?:R:)?(?:SIG)?USR2@\d+$/.test(warned))
    findings.push(
      warning(
        about,
        `--signal=${warned}: with "B:" the supervisors, which are a step, do not get it`,
        '#SBATCH --signal=USR2@120',
      ),
    );
  if (!ignores(commands, 'TERM'))
    findings.push(
      failure(
        about,
        'when bash ends of TERM, Slurm kills the supervisors at once where it tracks by cgroup',
        "trap '' USR2 TERM   # before everything else",
      ),
    );
  return findings;
}

const ignores = (commands: string, signal: string): boolean =>
  new RegExp(`trap\\s+(''|"")\\s+.*\\b${signal}\\b`).test(commands);

/** By a command of its own: it neither ignores the signal nor leaves it to what Slurm does. */
const handles = (commands: string, signal: string): boolean =>
  new RegExp(`(?:^|[;&|{])\\s*trap\\s+(?!''|""|-)\\S.*\\b${signal}\\b`, 'm').test(commands);

/** sbatch accepts a time above the partition's limit: the job then waits for ever. */
async function lookAtTime(text: string, options: Parameters<typeof runSlurm>[2]): Promise<Finding[]> {
  const given = readDirectives(text);
  // To sbatch its environment is more than what stands in the script.
  const time = options.env['SBATCH_TIMELIMIT'] || given.get('time');
  const partition = options.env['SBATCH_PARTITION'] || given.get('partition');
  const shown = await runSlurm(
    'scontrol',
    ['show', 'partition', '-o', ...(partition === undefined ? [] : [partition])],
    options,
  );
  if (time === undefined || shown.outcome !== 'answered') return [];
  return judgeTime(time, shown.stdout);
}

/** @param partitions lines of `scontrol show partition -o`: one that is named, or all of them */
export function judgeTime(time: string, partitions: string): Finding[] {
  const lines = partitions.trim().split('\n');
  const line = lines.length === 1 ? lines[0] : lines.find((each) => /\bDefault=YES\b/.test(each));
  const limit = /\bMaxTime=(\S+)/.exec(line ?? '')?.[1];
  const name = /\bPartitionName=(\S+)/.exec(line ?? '')?.[1] ?? '';
  const [asked, most] = [parseTimeOption(time), limit === undefined ? undefined : parseDuration(limit)];
  if (asked === undefined)
    return [failure(about, `--time=${time} cannot be read`, '#SBATCH --time=24:00:00')];
  if (most === undefined) return [ok(about, `--time=${time}: partition ${name} has no limit`)];
  if (asked > most)
    return [
      failure(
        about,
        `--time=${time} is above the limit of partition ${name}: the job would wait for ever`,
        `export SBATCH_TIMELIMIT=${limit ?? ''}   # or sbatch --time=..., or in the script`,
      ),
    ];
  return [ok(about, `--time=${time}: partition ${name} allows ${limit ?? ''}`)];
}

/** Seconds. sbatch's forms beside those of squeue: `minutes`, `days-hours`, `days-hours:minutes`. */
function parseTimeOption(text: string): number | undefined {
  if (/^(?:UNLIMITED|INFINITE|-1)$/i.test(text)) return Infinity;
  if (/^\d+$/.test(text)) return Number(text) * 60;
  const days = /^(\d+)-(\d+)(?::(\d+))?$/.exec(text);
  if (days !== null) return (Number(days[1]) * 24 + Number(days[2])) * 3600 + Number(days[3] ?? 0) * 60;
  return parseDuration(text);
}

async function testOnly(file: string, options: Parameters<typeof runSlurm>[2]): Promise<Finding> {
  const answer = await runSlurm('sbatch', ['--test-only', file], options);
  if (answer.outcome === 'missing')
    return warning(
      about,
      'sbatch is not here: whether the cluster can give what it asks for is not known',
      'module load slurm',
    );
  // It says when the job would start on stderr.
  if (answer.outcome === 'answered') return ok(about, answer.stderr.trim().replace(/^sbatch: /, ''));
  return failure(about, firstLine(answer.reason), `sbatch --test-only ${file}`);
}
