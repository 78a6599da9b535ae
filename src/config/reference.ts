/** Documents made from the tables of settings and errors. Pure: text in, text out. */
import { errorTable } from '../errors.ts';
import type { Group } from './setting.ts';
import { entryOf, flagOf, settingNames, type SettingName } from './settings.ts';

const groupTitles: Readonly<Record<Group, string>> = {
  paths: 'Paths',
  work: 'What to do',
  ollama: 'Ollama',
  encoder: 'Encoder and chunks',
  retrieval: 'Retrieval',
  reranker: 'Reranker',
  gpus: 'The split of the GPUs',
  endpoint: 'Endpoint',
  job: 'The job',
};

const groups = Object.keys(groupTitles) as Group[];
const made = 'Made by scripts/make-docs.ts from the table in src/config/settings.ts. Do not edit.';

const namesIn = (group: Group): SettingName[] => settingNames.filter((name) => entryOf(name).group === group);

/** A setting whose other values are refused so far says so wherever it is listed. */
function meaningOf(name: SettingName): string {
  const { meaning, works } = entryOf(name);
  if (works === undefined) return meaning;
  return `${meaning} ${works.length === 0 ? 'Not yet supported.' : `So far: ${works.map((value) => `\`${value}\``).join(', ')}.`}`;
}

export function configurationPage(): string {
  const sections = groups.map((group) => {
    const rows = namesIn(group).map((name) => {
      const { default: value } = entryOf(name);
      return `| \`${name}\` | \`--${flagOf(name)}\` | ${value === undefined ? '' : `\`${value}\``} | ${meaningOf(name).replaceAll('|', '\\|')} |`;
    });
    return [
      `## ${groupTitles[group]}`,
      '',
      '| name | flag | default | meaning |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `# Configuration

<!-- ${made} -->

Every setting has one name: in the environment, in the YAML file given with \`--config FILE\`, and, as a flag, the
form in the second column. A flag wins over the environment, the environment over the file, the file over the
default. An empty value counts as unset; \`~\` expands. All problems are reported at once. The verb \`config\` prints
the values in force and where each came from.

${sections.join('\n\n')}
`;
}

export function errorsPage(): string {
  const codes = Object.entries(errorTable).map(
    ([code, { exit, meaning }]) => `| \`${code}\` | ${exit} | ${meaning} |`,
  );
  return `# Errors and exit codes

<!-- Made by scripts/make-docs.ts from the table in src/errors.ts. Do not edit. -->

An error is one line, "Cannot <do what>: <what is>, <what is wanted>", and a hint that can be pasted. Its code decides
how the process ends. 0 means done. 128 + n means that a second signal n ended the process at once.

| code | exit | meaning |
|---|---|---|
${codes.join('\n')}
`;
}

export function environmentExample(): string {
  const lines = groups.flatMap((group) => [
    '',
    `# --- ${groupTitles[group]} ---`,
    ...namesIn(group).flatMap((name) => [
      `# ${meaningOf(name)}`,
      `#export ${name}=${quoted(entryOf(name).default ?? '')}`,
    ]),
  ]);
  return `# ${made}\n# Copy to .env, uncomment what you change, and source it before sbatch.\n${lines.join('\n')}\n`;
}

const quoted = (value: string): string => (/^[\w./:%-]*$/.test(value) ? value : `'${value}'`);

export function yamlExample(): string {
  const lines = groups.flatMap((group) => [
    '',
    `# --- ${groupTitles[group]} ---`,
    ...namesIn(group).flatMap((name) => [
      `# ${meaningOf(name)}`,
      `#${name}: ${JSON.stringify(entryOf(name).default ?? '')}`,
    ]),
  ]);
  return `# ${made}\n# node dist/supervisor.js run --config cluster.yaml\n${lines.join('\n')}\n`;
}
