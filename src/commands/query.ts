import { answerText } from '../observe/answer.ts';
import { hereFlag, textOf, workHere } from './here.ts';
import { jsonFlag, type Verb } from './verb.ts';

export const queryVerb: Verb = {
  summary: 'Answers a question from the index, with citations.',
  usage: 'query --here TEXT [--topk N]',
  examples: ['node dist/supervisor.js query --here "Which dose was used?"'],
  words: 'text',
  settings: ['paths', 'work', 'ollama', 'retrieval'],
  flags: { json: jsonFlag, here: hereFlag },
  async run(input) {
    const query = textOf(input.line, 'query');
    const line = {
      ...input.line,
      settings: { ...input.line.settings, RAG_WORKER_MODE: 'query' },
      values: { ...input.line.values, query },
    };
    return workHere(input, line, async ({ work, tree, prepared }, signal) => {
      // A reranker that is not there yet would only degrade the answer, so it is waited for.
      await tree.untilReady(
        tree.statuses().map(({ id }) => id),
        signal,
      );
      const record = await work.query({ query, topk: prepared.settings.RAG_TOPK, signal });
      input.print(input.line.switches.has('json') ? JSON.stringify(record) : answerText(record));
      return 0;
    });
  },
};
