import { hitLine } from '../observe/answer.ts';
import { toRetrievedHit } from '../query/contents.ts';
import { hereFlag, textOf, workHere } from './here.ts';
import { filterFlag, filterOf, jsonFlag, type Verb } from './verb.ts';

export const retrieveVerb: Verb = {
  summary: 'Finds the passages nearest to a text.',
  usage: 'retrieve --here TEXT [--topk N] [--filter NAME=VALUE]...',
  examples: ['node dist/supervisor.js retrieve --here "dose" --topk 3 --json'],
  words: 'text',
  settings: ['paths', 'work', 'ollama', 'retrieval'],
  flags: { json: jsonFlag, here: hereFlag, filter: filterFlag },
  async run(input) {
    const query = textOf(input.line, 'retrieve');
    const filter = filterOf(input.line);
    const settings = { RAG_SERVICES: 'embed', ...input.line.settings, RAG_WORKER_MODE: 'query' };
    const line = { ...input.line, settings, values: { ...input.line.values, query } };
    return workHere(input, line, async ({ work, prepared }, signal) => {
      const topk = prepared.settings.RAG_TOPK;
      const [hits = []] = await work.retrieve({ queries: [query], topk, filter, signal });
      if (input.line.switches.has('json'))
        input.print(JSON.stringify({ result: [hits.map(toRetrievedHit)] }));
      else hits.forEach((hit, index) => input.print(hitLine(hit, index + 1)));
      return 0;
    });
  },
};
