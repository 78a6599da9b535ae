/** Words in, exit code out: finds the verb, runs it, turns an error into lines and a code. */
import { nearest, parseCommandLine } from '../config/flags.ts';
import { exitCodeOf, RagError, toPlain } from '../errors.ts';
import { listenForStop } from '../signals.ts';
import { withoutControls } from '../observe/terminal.ts';
import { configVerb } from './config.ts';
import { helpOf, overview } from './help.ts';
import { indexVerb } from './index-inspect.ts';
import { ingestVerb } from './ingest.ts';
import { planVerb } from './plan.ts';
import { queryVerb } from './query.ts';
import { retrieveVerb } from './retrieve.ts';
import { runVerb } from './run.ts';
import { statusVerb } from './status.ts';
import { commonFlags, type Verb } from './verb.ts';

const verbs: Readonly<Record<string, Verb>> = {
  run: runVerb,
  plan: planVerb,
  config: configVerb,
  status: statusVerb,
  ingest: ingestVerb,
  query: queryVerb,
  retrieve: retrieveVerb,
  index: indexVerb,
};

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const tell = (text: string): void => void process.stderr.write(`${text}\n`);

/** Ends the process: open handles of a library must not keep a finished job alive. */
export async function main(words: readonly string[]): Promise<void> {
  const stop = listenForStop((code) => process.exit(code));
  const debug = words.includes('--debug');
  try {
    process.exitCode = await dispatch(words, stop.signal);
  } catch (error) {
    const { code, message, hint } = toPlain(error);
    tell(withoutControls(`${code === 'bug' ? 'Cannot go on, this is a bug: ' : ''}${message}`));
    if (hint !== undefined) tell(withoutControls(`  hint: ${hint}`));
    if (debug || code === 'bug') tell(error instanceof Error ? (error.stack ?? '') : String(error));
    process.exitCode = exitCodeOf(error);
  }
  stop.close();
  process.stdout.write('', () => process.exit());
}

async function dispatch(words: readonly string[], signal: AbortSignal): Promise<number> {
  const first = words[0];
  if (first === 'help' || (first === '--help' && words.length === 1)) {
    print(overview(verbs));
    return 0;
  }
  const named = first !== undefined && !first.startsWith('-');
  const name = named ? first : 'run';
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined) {
    const hint = nearest(name, Object.keys(verbs)) ?? 'rag-allinone help';
    throw new RagError('usage', `Cannot run "${name}": there is no such verb`, { hint });
  }
  const line = parseCommandLine(named ? words.slice(1) : words, { ...commonFlags, ...verb.flags });
  if (line.switches.has('help')) {
    print(helpOf(name, verb));
    return 0;
  }
  return verb.run({
    line,
    bare: words.length === 0,
    environment: process.env,
    signal,
    print,
    tell,
    onTerminal: process.stderr.isTTY,
  });
}
