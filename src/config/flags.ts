/** From the words of a command line to a verb's input. Pure. */
import { closest, distance } from 'fastest-levenshtein';

import { RagError } from '../errors.ts';
import { entryOf, flagOf, isSwitch, settingNames, type SettingName } from './settings.ts';

/** A flag of one verb that is no setting, e.g. `--json`. */
export interface FlagSpec {
  /** `values`: it may be given several times; they are joined by line feeds. */
  readonly kind: 'switch' | 'value' | 'values';
  readonly meaning: string;
}

export interface CommandLine {
  readonly positionals: readonly string[];
  readonly settings: Readonly<Partial<Record<SettingName, string>>>;
  readonly switches: ReadonlySet<string>;
  readonly values: Readonly<Record<string, string>>;
  /** The words after `--`. */
  readonly workload: readonly string[];
}

const settingByFlag: ReadonlyMap<string, SettingName> = new Map(
  settingNames.map((name) => [flagOf(name), name]),
);

/**
 * @param words what follows the verb
 * @param specs the verb's own flags
 * @throws usage for an unknown flag (with the nearest known one) or a flag without its value
 */
export function parseCommandLine(
  words: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
): CommandLine {
  const end = words.indexOf('--');
  const own = end === -1 ? [...words] : words.slice(0, end);
  const positionals: string[] = [];
  const settings: Partial<Record<SettingName, string>> = {};
  const switches = new Set<string>();
  const values: Record<string, string> = {};

  for (let index = 0; index < own.length; index += 1) {
    const word = own[index] ?? '';
    if (word === '-h') {
      switches.add('help');
      continue;
    }
    if (!word.startsWith('--')) {
      if (/^-[a-zA-Z]/.test(word)) throw unknownFlag(word, specs);
      positionals.push(word);
      continue;
    }
    const [flag, attached] = splitOnce(word.slice(2));
    const setting = settingByFlag.get(flag);
    const spec = specs[flag];
    if (setting === undefined && spec === undefined) throw unknownFlag(word, specs);
    const bare = spec === undefined ? setting !== undefined && isSwitch(setting) : spec.kind === 'switch';
    const value = attached ?? (bare ? '1' : own[(index += 1)]);
    if (value === undefined || (attached === undefined && !bare && value.startsWith('--')))
      throw new RagError('usage', `Cannot read --${flag}: it stands alone, a value is wanted`, {
        hint: `--${flag} VALUE`,
      });
    if (spec?.kind === 'switch') switches.add(flag);
    else if (spec?.kind === 'values')
      values[flag] = [...(flag in values ? [values[flag]] : []), value].join('\n');
    else if (spec !== undefined) values[flag] = value;
    else if (setting !== undefined) settings[setting] = joined(setting, settings[setting], value);
  }
  return { positionals, settings, switches, values, workload: end === -1 ? [] : words.slice(end + 1) };
}

const joined = (name: SettingName, before: string | undefined, value: string): string =>
  before !== undefined && entryOf(name).repeatable === true ? `${before}\n${value}` : value;

function splitOnce(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function unknownFlag(word: string, specs: Readonly<Record<string, FlagSpec>>): RagError {
  const known = [...settingByFlag.keys(), ...Object.keys(specs), 'help', 'debug', 'config'];
  const name = word.replace(/^-+/, '').split('=')[0] ?? '';
  return new RagError('usage', `Cannot read ${word}: there is no such flag`, {
    hint: nearest(name, known, '--') ?? 'add --help to see the flags',
  });
}

/** "Did you mean ...", when something is near enough to be a slip of the finger. */
export function nearest(word: string, known: readonly string[], prefix = ''): string | undefined {
  const candidate = closest(word, [...known]);
  return distance(word, candidate) <= Math.max(2, word.length / 3)
    ? `did you mean ${prefix}${candidate}?`
    : undefined;
}
