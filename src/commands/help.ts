/** Help texts, made from the verbs and the table of settings. */
import { entryOf, flagOf, settingNames, type SettingName } from '../config/settings.ts';
import { commonFlags, type Verb } from './verb.ts';

const column = (left: string, right: string): string => `  ${left.padEnd(26)} ${right}`;

export function overview(verbs: Readonly<Record<string, Verb>>): string {
  return [
    'rag-allinone: one Slurm job becomes a complete RAG service.',
    '',
    'Usage: node dist/supervisor.js [verb] [options]',
    '',
    'Verbs:',
    ...Object.entries(verbs).map(([name, verb]) => column(name, verb.summary)),
    '',
    'Without a verb: run. Outside a job, without input: a dry run over the sample corpus.',
    'VERB --help shows the options of a verb, `config` every setting.',
  ].join('\n');
}

export function helpOf(name: string, verb: Verb): string {
  const own = Object.entries({ ...verb.flags, ...commonFlags });
  return [
    `${name}: ${verb.summary}`,
    '',
    `Usage: node dist/supervisor.js ${verb.usage}`,
    '',
    'Options:',
    ...own.map(([flag, { kind, meaning }]) =>
      column(`--${flag}${kind === 'value' ? ' VALUE' : ''}`, meaning),
    ),
    '',
    'Settings (also as environment variables):',
    ...settingNames
      .filter((setting) => verb.settings.includes(entryOf(setting).group))
      .map((setting) => column(`--${flagOf(setting)}`, `${entryOf(setting).meaning}${defaultOf(setting)}`)),
    '  ... and the rest: node dist/supervisor.js config',
    '',
    'Examples:',
    ...verb.examples.map((example) => `  ${example}`),
  ].join('\n');
}

const defaultOf = (name: SettingName): string => {
  const { default: value } = entryOf(name);
  return value === undefined ? '' : ` (${value})`;
};
