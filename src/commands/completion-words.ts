/** What can be completed, as data from the tables of verbs and settings. Pure. */
import { z } from 'zod';
import type { FlagSpec } from '../config/flags.ts';
import { entryOf, flagOf, isSwitch, settingNames, type SettingName } from '../config/settings.ts';
import { commonFlags, type Verb } from './verb.ts';

export interface CompletedFlag {
  /** Without its dashes. */
  readonly name: string;
  readonly meaning: string;
  readonly takesValue: boolean;
  /** Of its value; none: whatever it is, files are offered. */
  readonly choices: readonly string[];
}

export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  /** Those that its help shows; those of all settings work as well. */
  readonly flags: readonly CompletedFlag[];
  /** The words beside the flags. */
  readonly words: 'files' | 'jobs' | 'none' | readonly string[];
}

export interface Completed {
  readonly verbs: readonly CompletedVerb[];
  readonly settings: readonly CompletedFlag[];
}

/** The programs that are completed: the package's own, and the file that it is. */
export const programs: readonly string[] = ['rag-allinone', 'supervisor.js'];

export function completedOf(verbs: Readonly<Record<string, Verb>>): Completed {
  return {
    verbs: Object.entries(verbs).map(([name, verb]) => ({
      name,
      summary: verb.summary,
      flags: [
        ...Object.entries({ ...verb.flags, ...commonFlags }).map(([flag, spec]) => ownFlag(flag, spec)),
        ...settingNames.filter((setting) => verb.settings.includes(entryOf(setting).group)).map(settingFlag),
      ],
      words: wordsOf(verb),
    })),
    settings: settingNames.map(settingFlag),
  };
}

const ownFlag = (name: string, { kind, meaning }: FlagSpec): CompletedFlag => ({
  name,
  meaning,
  takesValue: kind !== 'switch',
  choices: [],
});

const settingFlag = (name: SettingName): CompletedFlag => ({
  name: flagOf(name),
  meaning: entryOf(name).meaning,
  takesValue: !isSwitch(name),
  choices: choicesOf(name),
});

function choicesOf(name: SettingName): readonly string[] {
  const { schema, choices = [] } = entryOf(name);
  return schema instanceof z.ZodEnum ? schema.options.map(String) : choices;
}

function wordsOf({ words, choices }: Verb): CompletedVerb['words'] {
  if (choices !== undefined) return choices;
  if (words === undefined || words === 'text') return 'none';
  return words === 'job' ? 'jobs' : 'files';
}
