/** Help texts, made from the verbs and the table of settings. */
import { entryOf, flagOf, settingNames } from '../config/settings.ts';
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
    'rag-allinone VERB --help shows the options of a verb, rag-allinone config every setting.',
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
      .filter((setting) => ['work', 'paths', 'retrieval', 'gpus'].includes(entryOf(setting).group))
      .map((setting) => column(`--${flagOf(setting)}`, `${setting}. ${entryOf(setting).meaning}`)),
    '  ... and the rest: rag-allinone config',
    '',
    'Examples:',
    ...verb.examples.map((example) => `  ${example}`),
  ].join('\n');
}
