import { type Block, firstHeading, type ParsedText } from './block.ts';
import { cleanText } from './clean.ts';
import { parseHtml } from './html.ts';
import { parseMarkdown } from './markdown.ts';
import { paragraphs } from './text.ts';

/**
 * What RAG-Anything and MinerU write of a document (`content_list.json`): texts with their pages, pictures with
 * path, caption and footnote, tables as HTML or Markdown, formulas as LaTeX. Pictures are not opened.
 */
type Item = Readonly<Record<string, unknown>>;

const kinds = new Set(['text', 'image', 'table', 'equation', 'code', 'list', 'title', 'chart']);
/** What stands on every page. */
const left = new Set(['header', 'footer', 'page_number', 'discarded']);

export const isContentList = (value: unknown): value is readonly Item[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.slice(0, 20).every((item) => isItem(item) && typeof item['type'] === 'string') &&
  value.slice(0, 20).some((item: Item) => 'page_idx' in item && kinds.has(String(item['type'])));

const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null;

export function parseContentList(items: readonly Item[]): ParsedText {
  const blocks: Block[] = [];
  for (const item of items) {
    if (!isItem(item) || left.has(String(item['type']))) continue;
    const index = item['page_idx'];
    const page = typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index + 1 : undefined;
    for (const block of blocksOf(item)) blocks.push(page === undefined ? block : { ...block, page });
  }
  return { title: firstHeading(blocks), blocks };
}

function blocksOf(item: Item): Block[] {
  switch (item['type']) {
    case 'image':
    case 'chart':
      return [
        ...pictureOf(item),
        ...textsOf(
          item,
          'image_caption',
          'img_caption',
          'chart_caption',
          'content',
          'image_footnote',
          'img_footnote',
          'chart_footnote',
        ),
      ];
    case 'table':
      return [
        ...textsOf(item, 'table_caption'),
        ...tableOf(item),
        ...textsOf(item, 'table_footnote'),
        ...pictureOf(item),
      ];
    case 'equation':
      return formulaOf(item);
    case 'code':
      return [
        ...textsOf(item, 'code_caption'),
        ...textsOf(item, 'code_body').map(({ text }): Block => ({ kind: 'code', text })),
      ];
    case 'list':
      return listOf(item);
    default:
      return headingOr(item);
  }
}

const stringsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value])
    .filter((one) => typeof one === 'string')
    .map((one) => cleanText(one).trim())
    .filter((one) => one !== '');

const textsOf = (item: Item, ...keys: readonly string[]): Block[] =>
  keys.flatMap((key) => stringsOf(item[key])).map((text) => ({ kind: 'text', text }));

/** The path is kept for whoever shows the answer. */
const pictureOf = (item: Item): Block[] =>
  stringsOf(item['img_path']).map((path) => ({ kind: 'text', text: `[image: ${path}]` }));

function tableOf(item: Item): Block[] {
  const [body] = stringsOf(item['table_body']);
  if (body === undefined) return [];
  return [...(body.includes('<t') ? parseHtml(body) : parseMarkdown(body)).blocks];
}

function formulaOf(item: Item): Block[] {
  const formulas = [...stringsOf(item['latex']), ...stringsOf(item['text'])];
  return [...new Set(formulas)].map((text) => ({ kind: 'code', text }));
}

function listOf(item: Item): Block[] {
  const items = stringsOf(item['list_items']);
  return items.length === 0
    ? headingOr(item)
    : [{ kind: 'text', text: items.map((one) => (/^[-*•\d]/u.test(one) ? one : `- ${one}`)).join('\n') }];
}

function headingOr(item: Item): Block[] {
  const level = item['type'] === 'title' ? 1 : item['text_level'];
  const texts = [...stringsOf(item['text']), ...stringsOf(item['content'])];
  if (typeof level !== 'number' || level < 1) return texts.flatMap(paragraphs);
  return texts.map((text) => ({ kind: 'heading', text: text.replaceAll('\n', ' '), level }));
}
