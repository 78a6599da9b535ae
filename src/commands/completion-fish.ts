/** The completion of fish as a script of its own. Pure. */
import type { Completed, CompletedFlag, CompletedVerb } from './completion-words.ts';
import { programs } from './completion-words.ts';

export function fishCompletion({ verbs, settings }: Completed): string {
  const names = verbs.map(({ name }) => name).join(' ');
  const noVerb = `not __fish_seen_subcommand_from ${names}`;
  const run = verbs.find(({ name }) => name === 'run');
  const isSetting = new Set(settings.map(({ name }) => name));
  const own = ({ flags }: CompletedVerb): CompletedFlag[] => flags.filter(({ name }) => !isSetting.has(name));
  const lines = [
    ...verbs.map(({ name, summary }) => `-f -n '${noVerb}' -a ${name} -d ${quoted(summary)}`),
    // A setting may stand anywhere; without a verb it is a run.
    ...settings.map((flag) => flagLine(flag)),
    ...(run === undefined ? [] : own(run).map((flag) => flagLine(flag, noVerb))),
    ...verbs.flatMap((verb) => verbLines(verb, own(verb))),
  ];
  return `# Completion of rag-allinone for fish:  rag-allinone completion fish | source
# Made from its tables of verbs and settings.

# Supervisors by their state files, as \`status\` finds them.
function __rag_allinone_jobs
    set -l state rag-data/runtime
    set -q RAG_SHARED_ROOT; and set state $RAG_SHARED_ROOT/runtime
    set -q RAG_RUNTIME_STATE; and set state $RAG_RUNTIME_STATE
    for file in $state/supervisors/*.json
        string replace -r '.*/(.*)\\.json$' '$1' $file
    end
end

for program in ${programs.join(' ')}
${lines.map((line) => `    complete -c $program ${line}`).join('\n')}
end
`;
}

function verbLines({ name, words }: CompletedVerb, flags: readonly CompletedFlag[]): string[] {
  const here = `__fish_seen_subcommand_from ${name}`;
  return [...flags.map((flag) => flagLine(flag, here)), ...wordLines(words, here)];
}

function flagLine({ name, meaning, takesValue, choices }: CompletedFlag, when?: string): string {
  const value = !takesValue ? '' : choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : ' -r';
  return `${when === undefined ? '' : `-n '${when}' `}-l ${name}${value} -d ${quoted(meaning)}`;
}

function wordLines(words: CompletedVerb['words'], when: string): string[] {
  if (words === 'files') return [];
  if (words === 'jobs') return [`-f -n '${when}' -a '(__rag_allinone_jobs)'`];
  return words === 'none' ? [`-f -n '${when}'`] : [`-n '${when}' -a '${words.join(' ')}'`];
}

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/gu, String.raw`\$&`)}'`;
