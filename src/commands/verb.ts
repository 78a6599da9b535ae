import type { CommandLine, FlagSpec } from '../config/flags.ts';
import { readFilter } from '../query/filter.ts';
import type { Terminal } from '../observe/live-line.ts';
import type { Paint } from '../observe/paint.ts';
import type { Screen } from '../observe/screen.ts';
import type { Filter } from '../work.ts';
import type { Group } from '../config/setting.ts';
import type { Environment } from '../config/load.ts';

/** What a verb gets: the command line, and the outside world as parameters. */
export interface VerbInput {
  readonly line: CommandLine;
  /** Not a single word was given. */
  readonly bare: boolean;
  readonly environment: Environment;
  /** Aborted by the first TERM, INT, HUP or USR2, with a `StopReason`. */
  readonly signal: AbortSignal;
  /** Results. */
  readonly print: (text: string) => void;
  /** A piece of a result, without a line feed of its own. */
  readonly write: (text: string) => void;
  /** Logs and progress. */
  readonly tell: (text: string) => void;
  /** That reads what `tell` writes; null: none does, or one that cannot move its cursor. */
  readonly terminal: Terminal | null;
  /** The whole of the terminal that reads the results; null as above. */
  readonly openScreen: (() => Screen) | null;
  /** For results and for what is told: coloured where a person with a terminal that can reads it. */
  readonly paint: { readonly out: Paint; readonly err: Paint };
  /** Of the terminal that reads the results; null: none does, and what is not made for 80 columns is not wrapped. */
  readonly columns: number | null;
}

/** Where nobody says how wide a terminal is. */
export const usualColumns = 80;

export interface Verb {
  readonly summary: string;
  readonly usage: string;
  readonly examples: readonly string[];
  readonly flags: Readonly<Record<string, FlagSpec>>;
  /** What the words beside the flags mean; undefined: there are none. */
  readonly words?: 'text' | 'paths' | 'job' | 'collection' | 'action' | 'shell';
  /** All that the first of them can be. */
  readonly choices?: readonly string[];
  /** It only prints, again and again: when nobody reads any more, it is told to stop. */
  readonly endsWithReader?: true;
  /** Which settings its help lists; all of them work. */
  readonly settings: readonly Group[];
  /** Resolves with the exit code. */
  run(input: VerbInput): Promise<number>;
}

export const jsonFlag: FlagSpec = { kind: 'switch', meaning: 'Print the result as JSON.' };

export const filterFlag: FlagSpec = {
  kind: 'values',
  meaning:
    'Only passages with this, e.g. document=reports/**, page=3..9, year=2020,2021. Several: all must hold.',
};

/** @throws usage */
export const filterOf = ({ values }: CommandLine): Filter =>
  'filter' in values ? readFilter((values['filter'] ?? '').split('\n')) : [];

/** The filter as it was given, for a supervisor that reads it itself. */
export const filterWords = ({ values }: CommandLine): readonly string[] | undefined =>
  'filter' in values ? (values['filter'] ?? '').split('\n') : undefined;

/** Undefined where nobody says: then it is the supervisor's. */
export const topkOf = ({ settings }: CommandLine): number | undefined =>
  settings.RAG_TOPK === undefined ? undefined : Number(settings.RAG_TOPK);

/** Flags of every verb. */
export const commonFlags: Readonly<Record<string, FlagSpec>> = {
  help: { kind: 'switch', meaning: 'Show this help.' },
  config: { kind: 'value', meaning: 'A YAML file of settings.' },
  debug: { kind: 'switch', meaning: 'Show the stack of an error.' },
};
