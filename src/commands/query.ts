import { askQuery, type RemoteQuestion } from '../client/questions.ts';
import { RagError } from '../errors.ts';
import { untilServing } from '../job/life/until-serving.ts';
import { afterAnswer, answerText } from '../observe/answer.ts';
import { withoutControls } from '../observe/terminal.ts';
import type { AnswerRecord, QueryRequest } from '../work.ts';
import { hereFlag, textOf, withServicesHere } from './here.ts';
import { queryBatch } from './query-batch.ts';
import { tellNothingFound } from './nothing-found.ts';
import { filterFlag, filterOf, filterWords, jsonFlag, topkOf, type Verb, type VerbInput } from './verb.ts';
import { whoWorks } from './where.ts';

export const queryVerb: Verb = {
  summary: 'Answers a question, or a file of them, from the index, with citations.',
  usage:
    'query TEXT [--here] [--topk N] [--filter NAME=VALUE]... [--stream], or query --queries F.jsonl --answers F.jsonl',
  examples: [
    'node dist/supervisor.js query "Which dose was used?"   # of the running supervisor, else in this process',
    'node dist/supervisor.js query --queries questions.jsonl --answers answers.jsonl',
  ],
  words: 'text',
  settings: ['paths', 'work', 'ollama', 'retrieval', 'reranker'],
  flags: {
    json: jsonFlag,
    here: hereFlag,
    filter: filterFlag,
    stream: { kind: 'switch', meaning: 'Print the answer as it is generated.' },
    queries: { kind: 'value', meaning: 'A file of questions, {"id"?, "query"} a line.' },
    answers: {
      kind: 'value',
      meaning: 'The file for their records, one a line. What is in it is not asked again; what failed is.',
    },
  },
  async run(input) {
    const { switches, values } = input.line;
    if ('queries' in values || 'answers' in values) return queryBatch(input);
    const query = textOf(input.line, 'query');
    const filter = filterOf(input.line);
    const isJson = switches.has('json');
    const isStreamed = switches.has('stream');
    if (isJson && isStreamed) throw oneOfBoth();
    const line = {
      ...input.line,
      settings: { ...input.line.settings, RAG_WORKER_MODE: 'query' },
      values: { ...values, query },
    };
    const show = (record: AnswerRecord): number => {
      // The answer itself says so where nothing was filtered.
      if (record.retrieved === 0 && filter.length > 0) tellNothingFound(input);
      if (isStreamed) input.print(afterAnswer(record));
      else input.print(isJson ? JSON.stringify(record) : answerText(record));
      return 0;
    };
    const who = await whoWorks(input);
    if (who !== 'here') {
      await using connection = who;
      const ask = { query, topk: topkOf(input.line), filter: filterWords(input.line), signal: input.signal };
      const work = { query: (question: RemoteQuestion) => askQuery(connection, question) };
      return show(await (isStreamed ? stream(work, ask, input.write) : work.query(ask)));
    }
    return withServicesHere(input, line, async ({ work, tree, prepared }, signal) => {
      await untilServing(tree, prepared.plan, signal);
      const ask = { query, topk: prepared.settings.RAG_TOPK, filter, signal };
      return show(await (isStreamed ? stream(work, ask, input.write) : work.query(ask)));
    });
  },
};

/** Whatever ends the answer, what comes after it begins on a line of its own. */
async function stream<Ask extends object>(
  work: { query(ask: Ask & Pick<QueryRequest, 'onText'>): Promise<AnswerRecord> },
  ask: Ask,
  write: VerbInput['write'],
): Promise<AnswerRecord> {
  let isOpen = false;
  const onText = (piece: string): void => {
    isOpen = true;
    write(withoutControls(piece));
  };
  try {
    return await work.query({ ...ask, onText });
  } finally {
    if (isOpen) write('\n');
  }
}

const oneOfBoth = (): RagError =>
  new RagError(
    'usage',
    'Cannot print the answer both as it comes and as JSON: one of --stream, --json is wanted',
    {
      hint: 'leave out --stream: the record comes at the end',
    },
  );
