/** The setup script, sourced as the batch scripts source it: what it leaves in the environment is what the job gets. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../config/load.ts';
import { askProgram } from '../machine/question.ts';
import { failure, type Finding, ok, warning } from './types.ts';

export interface SetUp {
  readonly environment: Environment;
  readonly findings: readonly Finding[];
}

const about = 'setup script';

/** Modules and conda take their time on a busy file server. */
const timeoutMs = 60_000;

/** What it prints goes aside: after the mark, on its own, stands the environment. */
const mark = '--rag-environment--';
const sourced = `set +eu; . "$1" >/dev/null; printf '%s' "${mark}"; env -0`;

export async function sourceSetupScript(environment: Environment, signal: AbortSignal): Promise<SetUp> {
  const named = environment['RAG_SETUP_SCRIPT'];
  const script = named || join(environment['HOME'] ?? '', 'setup/ollama.sh');
  const readable = await access(script, constants.R_OK).then(
    () => true,
    () => false,
  );
  if (!readable && named)
    return {
      environment,
      findings: [failure(about, `${named} cannot be read`, `ls -l ${named}; unset RAG_SETUP_SCRIPT`)],
    };
  if (!readable) return { environment, findings: [ok(about, `none (${script} is not there)`)] };
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
  const command = ['bash', '-c', sourced, 'bash', script];
  const answer = await askProgram(command, { timeoutMs, signal, env: env as Record<string, string> });
  if (answer.outcome === 'failed')
    return {
      environment,
      findings: [failure(about, `${script}: ${answer.why}`, `bash -xc '. ${script}'`)],
    };
  return readSourced(script, environment, answer.stdout);
}

/** A script that ends the shell (`exit 0`) would end the job before it began. */
export function readSourced(script: string, before: Environment, printed: string): SetUp {
  const at = printed.lastIndexOf(mark);
  if (at < 0)
    return {
      environment: before,
      findings: [failure(about, `${script} ends the shell that sources it`, `grep -n 'exit' ${script}`)],
    };
  const pairs = printed.slice(at + mark.length).split('\0');
  const environment = Object.fromEntries(
    pairs
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const found = ok(about, `${script} was sourced`);
  const widened = environment['OLLAMA_HOST'];
  const findings =
    widened !== undefined && before['OLLAMA_HOST'] !== widened
      ? [
          found,
          warning(
            about,
            `${script} sets OLLAMA_HOST=${widened}: services of a job choose their own address`,
            `sed -i '/OLLAMA_HOST/d' ${script}`,
          ),
        ]
      : [found];
  return { environment, findings };
}
