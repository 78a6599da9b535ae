/** Words in, exit code out: finds the verb, runs it, turns an error into lines and a code. */
import { nearest, parseCommandLine } from '../config/flags.ts';
import { errorTable, exitCodeOf, RagError, toPlain } from '../errors.ts';
import { listenForStop } from '../signals.ts';
import { openTerminal } from '../observe/live-line.ts';
import { paintFor } from '../observe/paint.ts';
import { openScreen } from '../observe/screen.ts';
import { withoutControls } from '../observe/terminal.ts';
import { asCalled } from './called-as.ts';
import { helpOf, overview } from './help.ts';
import { commonFlags, usualColumns } from './verb.ts';
import { verbs } from './verbs.ts';
import { version } from '../version.ts';

/** Aborts when nobody reads the results any more. */
const readerGone = new AbortController();

/** The log's reader may go (`| head`, a closed terminal, a full quota): that must not end a service. */
process.stderr.on('error', () => {});
/** Nor may the reader of results; but a result that a full disk swallowed is no success. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE')
    readerGone.abort(new RagError('aborted', 'Cannot go on: nobody reads it any more'));
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') process.exitCode = errorTable['disk-full'].exit;
});

const isSmart = process.env['TERM'] !== 'dumb';
const terminal = process.stderr.isTTY && isSmart ? openTerminal(process.stderr) : null;
const openScreenOut = process.stdout.isTTY && isSmart ? () => openScreen(process.stdout) : null;
const paint = { out: paintFor(process.stdout), err: paintFor(process.stderr) };
const columns = process.stdout.isTTY ? process.stdout.columns || usualColumns : null;
const helpView = { columns: columns ?? usualColumns, paint: paint.out };
const write = (text: string): void => void process.stdout.write(text);
const print = (text: string): void => {
  if (terminal !== null && process.stdout.isTTY) terminal.above(() => write(`${text}\n`));
  else write(`${text}\n`);
};
const tell = (text: string): void => {
  if (terminal === null) process.stderr.write(`${text}\n`);
  else terminal.tell(text);
};
const caller = { path: process.env['PATH'] };

/** Ends the process: open handles of a library must not keep a finished job alive. */
export async function main(words: readonly string[]): Promise<void> {
  const stop = listenForStop((code) => process.exit(code));
  const debug = words.includes('--debug');
  try {
    const code = await dispatch(words, stop.signal);
    process.exitCode ??= code;
  } catch (error) {
    const { code, message, hint } = toPlain(error);
    const what = `${code === 'bug' ? 'Cannot go on, this is a bug: ' : ''}${message}`;
    tell(paint.err('bad', withoutControls(what)));
    if (hint !== undefined) tell(`${paint.err('dim', '  hint:')} ${withoutControls(asCalled(hint, caller))}`);
    const stack = error instanceof Error ? (error.stack ?? '') : String(error);
    if (debug || code === 'bug') tell(stack.split('\n').map(withoutControls).join('\n'));
    process.exitCode = exitCodeOf(error);
  }
  // Signals are heard to the last: one that comes now must not make a death by signal of what is done.
  process.stdout.write('', () => setImmediate(() => process.exit())); // a turn later: its error comes first
}

async function dispatch(words: readonly string[], signal: AbortSignal): Promise<number> {
  const first = words[0];
  if (words.length === 1 && first === '--version') {
    print(version());
    return 0;
  }
  if (first === 'help' || (words.length === 1 && (first === '--help' || first === '-h'))) {
    print(asCalled(overview(verbs, helpView), caller));
    return 0;
  }
  const named = first !== undefined && !first.startsWith('-');
  const name = named ? first : 'run';
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined) {
    const hint = nearest(name, Object.keys(verbs)) ?? 'node dist/supervisor.js help';
    throw new RagError('usage', `Cannot run "${name}": there is no such verb`, { hint });
  }
  const line = parseCommandLine(named ? words.slice(1) : words, { ...commonFlags, ...verb.flags });
  if (line.switches.has('help')) {
    print(asCalled(helpOf(name, verb, helpView), caller));
    return 0;
  }
  const [word] = line.positionals;
  if (word !== undefined && verb.words === undefined) {
    throw new RagError('usage', `Cannot use "${word}": ${name} takes flags only`, {
      hint: Object.hasOwn(verbs, word)
        ? `the verb comes first: node dist/supervisor.js ${word} ...`
        : name === 'run'
          ? `--input-file ${word}`
          : `node dist/supervisor.js ${name} --help`,
    });
  }
  const ends = verb.endsWithReader === true ? [signal, readerGone.signal] : [signal];
  return verb.run({
    line,
    bare: words.length === 0,
    environment: process.env,
    signal: AbortSignal.any(ends),
    print,
    write,
    tell,
    terminal,
    openScreen: openScreenOut,
    paint,
    columns,
  });
}
