import { filterWords, type VerbInput } from './verb.ts';

/** An empty list looks like a failure, and a filter that no passage passes like an index without an answer. */
export function tellNothingFound({ line, tell }: Pick<VerbInput, 'line' | 'tell'>): void {
  const filter = (filterWords(line) ?? []).map((words) => `--filter ${words}`).join(' ');
  tell(
    filter === ''
      ? 'Nothing was found: no passage of the index has anything of this text.'
      : `Nothing was found: no passage of the index has anything of this text and passes ${filter}. What does: the same command without it.`,
  );
}
