import { askRetrieve, type RemoteHit } from '../client/questions.ts';
import { hitLine } from '../observe/answer.ts';
import { toRetrievedHit } from '../query/contents.ts';
import { hereFlag, textOf, withServicesHere } from './here.ts';
import { tellNothingFound } from './nothing-found.ts';
import { filterFlag, filterOf, filterWords, jsonFlag, topkOf, type Verb } from './verb.ts';
import { whoWorks } from './where.ts';

export const retrieveVerb: Verb = {
  summary: 'Finds the passages nearest to a text.',
  usage: 'retrieve TEXT [--here] [--topk N] [--filter NAME=VALUE]...',
  examples: ['node dist/supervisor.js retrieve "dose" --topk 3 --json'],
  words: 'text',
  settings: ['paths', 'work', 'ollama', 'retrieval'],
  flags: { json: jsonFlag, here: hereFlag, filter: filterFlag },
  async run(input) {
    const query = textOf(input.line, 'retrieve');
    const filter = filterOf(input.line);
    const settings = { RAG_SERVICES: 'embed', ...input.line.settings, RAG_WORKER_MODE: 'query' };
    const line = { ...input.line, settings, values: { ...input.line.values, query } };
    const who = await whoWorks(input);
    if (who !== 'here') {
      await using connection = who;
      const ask = { query, topk: topkOf(input.line), filter: filterWords(input.line), signal: input.signal };
      const hits = await askRetrieve(connection, ask);
      if (hits.length === 0) tellNothingFound(input);
      if (input.line.switches.has('json')) input.print(JSON.stringify({ result: [hits] }));
      else hits.forEach((hit, index) => input.print(hitLine(asHit(hit), index + 1)));
      return 0;
    }
    return withServicesHere(input, line, async ({ work, prepared }, signal) => {
      const topk = prepared.settings.RAG_TOPK;
      const [hits = []] = await work.retrieve({ queries: [query], topk, filter, signal });
      if (hits.length === 0) tellNothingFound(input);
      if (input.line.switches.has('json'))
        input.print(JSON.stringify({ result: [hits.map(toRetrievedHit)] }));
      else hits.forEach((hit, index) => input.print(hitLine(hit, index + 1)));
      return 0;
    });
  },
};

/** The first line of the contents is the title. */
const asHit = ({
  document: { title, file, page, contents },
  score,
}: RemoteHit): Parameters<typeof hitLine>[0] => ({
  title,
  file,
  page,
  score,
  text: contents.slice(contents.indexOf('\n') + 1),
});
