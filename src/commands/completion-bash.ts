/** The completion of bash as a script of its own: it starts no program but `ls`. Pure. */
import type { Completed, CompletedFlag } from './completion-words.ts';
import { programs } from './completion-words.ts';

export function bashCompletion({ verbs, settings }: Completed): string {
  const all = [...verbs.flatMap(({ flags }) => flags), ...settings];
  const valued = unique(all).filter(({ takesValue }) => takesValue);
  return `# Completion of rag-allinone for bash:  source <(rag-allinone completion bash)
# Made from its tables of verbs and settings.

rag_allinone_verbs='${verbs.map(({ name }) => name).join(' ')}'
rag_allinone_settings='${namesOf(settings)}'

_rag_allinone_flags() {
  case $1 in
${verbs.map(({ name, flags }) => `    ${name}) echo '${namesOf(flags)}' ;;`).join('\n')}
  esac
}

# What may stand behind a flag: words, or nothing for files. Fails for a switch.
_rag_allinone_values() {
  case $1 in
    ${namesOf(valued.filter(({ choices }) => choices.length === 0)).replaceAll(' ', '|')}) ;;
${valued
  .filter(({ choices }) => choices.length > 0)
  .map(({ name, choices }) => `    --${name}) echo '${choices.join(' ')}' ;;`)
  .join('\n')}
    *) return 1 ;;
  esac
}

# What may stand beside the flags of a verb.
_rag_allinone_words() {
  case $1 in
${verbs.map(({ name, words }) => `    ${name}) ${wordsOf(words)} ;;`).join('\n')}
  esac
}

${logic}
complete -F _rag_allinone ${programs.join(' ')}
complete -p node >/dev/null 2>&1 || complete -F _rag_allinone_node node
`;
}

/** The part that no table is in. */
const logic = `# Supervisors by their state files, as \`status\` finds them.
_rag_allinone_jobs() {
  local state=\${RAG_RUNTIME_STATE:-\${RAG_SHARED_ROOT:-./rag-data}/runtime} file
  for file in "$state"/supervisors/*.json; do
    [[ -e $file ]] || continue
    file=\${file##*/}
    file=\${file%.json}
    # What is completed is read by the shell once more: nobody's file name is to be a command.
    [[ $file =~ ^[A-Za-z0-9._-]+$ ]] && echo "$file"
  done
}

_rag_allinone() {
  local current=\${COMP_WORDS[COMP_CWORD]} first=\${rag_allinone_first:-1} verb=run flag words i
  COMPREPLY=()
  for ((i = first; i < COMP_CWORD; i++)); do
    # Behind it stands a command of the user's own.
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      compopt -o default
      ((i + 1 < COMP_CWORD)) || COMPREPLY=($(compgen -c -- "$current"))
      return
    fi
  done
  ((COMP_CWORD > first)) && [[ \${COMP_WORDS[first]} != -* ]] && verb=\${COMP_WORDS[first]}
  # --flag=value is three words for bash.
  flag=\${COMP_WORDS[COMP_CWORD - 1]}
  [[ $current == = ]] && current=
  [[ $flag == = ]] && flag=\${COMP_WORDS[COMP_CWORD - 2]}
  if ((COMP_CWORD > first)) && words=$(_rag_allinone_values "$flag"); then
    if [[ -z $words ]]; then compopt -o default; fi
  elif [[ $current == -* ]]; then
    words=$(_rag_allinone_flags "$verb")
    [[ -n $(compgen -W "$words" -- "$current") ]] || words=$rag_allinone_settings
  elif ((COMP_CWORD == first)); then
    words=$rag_allinone_verbs
  else
    words=$(_rag_allinone_words "$verb")
    if [[ $words == @files ]]; then
      words=
      compopt -o default
    fi
  fi
  [[ -z $words ]] || COMPREPLY=($(compgen -W "$words" -- "$current"))
}

# node dist/supervisor.js VERB; every other program of Node is completed as files.
_rag_allinone_node() {
  COMPREPLY=()
  compopt -o default
  if [[ \${COMP_WORDS[1]} == *supervisor.js ]] && ((COMP_CWORD > 1)); then
    compopt +o default
    rag_allinone_first=2 _rag_allinone
  fi
}`;

const unique = (flags: readonly CompletedFlag[]): CompletedFlag[] => [
  ...new Map(flags.map((flag) => [flag.name, flag])).values(),
];

const namesOf = (flags: readonly CompletedFlag[]): string =>
  unique(flags)
    .map(({ name }) => `--${name}`)
    .join(' ');

function wordsOf(words: Completed['verbs'][number]['words']): string {
  if (words === 'files') return 'echo @files';
  if (words === 'jobs') return '_rag_allinone_jobs';
  return words === 'none' ? ':' : `echo '${words.join(' ')}'`;
}
