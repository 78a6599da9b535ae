/** What stands before a text, as the encoder was trained. */
export interface Prefixes {
  readonly query: string;
  readonly passage: string;
}

const defaultInstruction = 'Given a web search query, retrieve relevant passages that answer the query';
const represent = 'Represent this sentence for searching relevant passages: ';
const representChinese = '为这个句子生成表示以用于检索相关文章：';

interface Family {
  readonly name: RegExp;
  prefixes(instruction: string): Prefixes;
}

/** From the models' own cards; the first that matches. */
const families: readonly Family[] = [
  { name: /qwen3-embedding/, prefixes: (task) => ({ query: `Instruct: ${task}\nQuery:`, passage: '' }) },
  {
    name: /(e5|gte)-.*instruct|(sfr|linq)-embed/,
    prefixes: (task) => ({ query: `Instruct: ${task}\nQuery: `, passage: '' }),
  },
  {
    name: /bge-(multilingual-gemma2|en-icl)/,
    prefixes: (task) => ({ query: `<instruct>${task}\n<query>`, passage: '' }),
  },
  { name: /(^|[/_-])e5([-:_]|$)/, prefixes: () => ({ query: 'query: ', passage: 'passage: ' }) },
  { name: /nomic-embed-text/, prefixes: () => ({ query: 'search_query: ', passage: 'search_document: ' }) },
  { name: /mxbai-embed-de/, prefixes: () => ({ query: 'query: ', passage: 'passage: ' }) },
  { name: /mxbai-embed/, prefixes: () => ({ query: represent, passage: '' }) },
  { name: /arctic-embed(2|-[lm]-v2)/, prefixes: () => ({ query: 'query: ', passage: '' }) },
  { name: /arctic-embed/, prefixes: () => ({ query: represent, passage: '' }) },
  { name: /bge-m3/, prefixes: () => ({ query: '', passage: '' }) },
  { name: /bge-(small|base|large)-zh/, prefixes: () => ({ query: representChinese, passage: '' }) },
  { name: /bge-(small|base|large)/, prefixes: () => ({ query: represent, passage: '' }) },
  {
    name: /embeddinggemma/,
    prefixes: () => ({ query: 'task: search result | query: ', passage: 'title: none | text: ' }),
  },
];

/**
 * @param model name as the model server knows it, in any spelling of case
 * @param instruction what the query is for; only instruction-tuned families use it
 */
export const prefixesFor = (model: string, instruction: string = defaultInstruction): Prefixes =>
  families.find(({ name }) => name.test(model.toLowerCase()))?.prefixes(instruction) ?? {
    query: '',
    passage: '',
  };
