/** The completion of zsh as a script of its own. Pure. */
import type { Completed, CompletedFlag, CompletedVerb } from './completion-words.ts';
import { programs } from './completion-words.ts';

export function zshCompletion({ verbs, settings }: Completed): string {
  const described = verbs.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n');
  return `#compdef ${programs.join(' ')}
# Completion of rag-allinone for zsh:  source <(rag-allinone completion zsh)
# Made from its tables of verbs and settings.

# Supervisors by their state files, as \`status\` finds them.
_rag_allinone_jobs() {
  local state=\${RAG_RUNTIME_STATE:-\${RAG_SHARED_ROOT:-./rag-data}/runtime}
  local -a jobs=($state/supervisors/*.json(N:t:r))
  compadd -a jobs
}

_rag_allinone() {
  local -a verbs=(
${described}
  )
  local -a settings=(
${settings.map((flag) => `    ${argument(flag)}`).join('\n')}
  )
  local verb=run
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe verb verbs
    return
  fi
  if [[ $words[2] != -* ]]; then
    verb=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $verb in
${verbs.map((verb) => verbCase(verb, settings)).join('\n')}
  esac
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u; }
compdef _rag_allinone ${programs.join(' ')}
`;
}

function verbCase({ name, flags, words }: CompletedVerb, settings: readonly CompletedFlag[]): string {
  const isSetting = new Set(settings.map((flag) => flag.name));
  const own = flags.filter((flag) => !isSetting.has(flag.name)).map(argument);
  const lines = [...own, ...restOf(name, words)].map((each) => `        ${each}`);
  return `    ${name})\n      _arguments -S $settings \\\n${lines.join(' \\\n')}\n      ;;`;
}

function argument({ name, meaning, takesValue, choices }: CompletedFlag): string {
  const what = meaning.replaceAll(/[[\]\\:]/gu, '\\$&');
  const value = takesValue ? `:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}` : '';
  return quoted(`*--${name}${takesValue ? '=' : ''}[${what}]${value}`);
}

function restOf(name: string, words: CompletedVerb['words']): string[] {
  if (name === 'run') return [quoted('*::command: _normal')];
  if (words === 'files') return [quoted('*:file:_files')];
  if (words === 'jobs') return [quoted('*:job:_rag_allinone_jobs')];
  return words === 'none' ? [] : [quoted(`1:word:(${words.join(' ')})`), quoted('*:file:_files')];
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
