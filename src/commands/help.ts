/** Help texts, made from the verbs and the table of settings. Pure. */
import { entryOf, flagOf, isSwitch, settingNames, type SettingName } from '../config/settings.ts';
import type { Paint } from '../observe/paint.ts';
import { hanging } from '../observe/width.ts';
import { commonFlags, type Verb } from './verb.ts';

export interface HelpView {
  readonly columns: number;
  readonly paint: Paint;
}

/** Of what a line is about. Longer names push their meaning onto a line of its own. */
const nameColumns = 26;

const column = (name: string, meaning: string, { columns }: HelpView): string[] => {
  const lines = hanging(meaning, nameColumns + 3, columns);
  const [first = '', ...more] = lines;
  return name.length > nameColumns
    ? [`  ${name}`, ...lines]
    : [`  ${name.padEnd(nameColumns)} ${first.trimStart()}`, ...more];
};

export function overview(verbs: Readonly<Record<string, Verb>>, view: HelpView): string {
  const { paint } = view;
  return [
    'rag-allinone: one Slurm job becomes a complete RAG service.',
    '',
    `${paint('strong', 'Usage:')} node dist/supervisor.js [verb] [options]`,
    '',
    paint('strong', 'Verbs:'),
    ...Object.entries(verbs).flatMap(([name, verb]) => column(name, verb.summary, view)),
    '',
    'Without a verb: run. Outside a job, without input: a dry run over the corpus',
    'of samples. VERB --help shows the options of a verb, `config` every setting.',
  ].join('\n');
}

export function helpOf(name: string, verb: Verb, view: HelpView): string {
  const { columns, paint } = view;
  const own = Object.entries({ ...verb.flags, ...commonFlags });
  const settings = settingNames.filter((setting) => verb.settings.includes(entryOf(setting).group));
  return [
    ...hanging(`${name}: ${verb.summary}`, 0, columns),
    '',
    paint('strong', 'Usage:'),
    ...verb.usage.split(' | ').flatMap((usage) => hanging(`node dist/supervisor.js ${usage}`, 2, columns)),
    '',
    paint('strong', 'Options:'),
    ...own.flatMap(([flag, { kind, meaning }]) =>
      column(`--${flag}${kind === 'switch' ? '' : ' VALUE'}`, meaning, view),
    ),
    '',
    ...(settings.length === 0
      ? []
      : [
          paint('strong', 'Settings (also as environment variables):'),
          ...settings.flatMap((setting) => column(settingFlag(setting), meaningOf(setting), view)),
          '  ... and the rest: node dist/supervisor.js config',
          '',
        ]),
    paint('strong', 'Examples:'),
    ...verb.examples.map((example) => `  ${example}`),
  ].join('\n');
}

const settingFlag = (name: SettingName): string => `--${flagOf(name)}${isSwitch(name) ? '' : ' VALUE'}`;

const meaningOf = (name: SettingName): string => {
  const { meaning, default: value } = entryOf(name);
  return value === undefined ? meaning : `${meaning} (${value})`;
};
