import { RagError } from '../errors.ts';
import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { completedOf, type Completed } from './completion-words.ts';
import { zshCompletion } from './completion-zsh.ts';
import type { Verb } from './verb.ts';

const shells: Readonly<Record<string, (completed: Completed) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** @param verbs this one among them */
export const makeCompletionVerb = (verbs: () => Readonly<Record<string, Verb>>): Verb => ({
  summary: 'A script that completes verbs, flags and files in a shell.',
  usage: 'completion bash|zsh|fish',
  examples: [
    'source <(node dist/supervisor.js completion bash)      # in ~/.bashrc, with the path of your checkout',
    'source <(node dist/supervisor.js completion zsh)       # in ~/.zshrc, behind compinit',
    'node dist/supervisor.js completion fish > ~/.config/fish/completions/rag-allinone.fish',
  ],
  words: 'shell',
  choices: Object.keys(shells),
  settings: [],
  flags: {},
  async run({ line, write }) {
    const [name = '', ...more] = line.positionals;
    const script = Object.hasOwn(shells, name) ? shells[name] : undefined;
    if (script === undefined || more.length > 0)
      throw new RagError(
        'usage',
        `Cannot complete in "${line.positionals.join(' ')}": one of ${Object.keys(shells).join(', ')} is wanted`,
        { hint: 'source <(node dist/supervisor.js completion bash)' },
      );
    write(script(completedOf(verbs())));
    return 0;
  },
});
