import type { Archive } from './archive.ts';
import { type Block, firstHeading, type ParsedText } from './block.ts';
import { type DocxStyle, readDocxNotes, readDocxStyles } from './docx-parts.ts';
import { type Flow, openFlow } from './flow.ts';
import { readChart } from './ooxml-chart.ts';
import { readCoreTitle, readRelationships, targetOfType } from './ooxml.ts';
import { leavingOut, readXml, type XmlAttributes } from './xml.ts';

/**
 * WordprocessingML, read as a stream of elements. Deleted and moved-away text and comments are no text; text
 * boxes stand before the paragraph that they are anchored in; notes follow theirs as `[^1]: ...`. The file has
 * no pages: where one ends is found out by whoever prints it.
 */
export async function parseDocx(archive: Archive, main: string): Promise<ParsedText> {
  const relationships = await readRelationships(archive, main);
  const styles = await readDocxStyles(archive, targetOfType(relationships, 'styles'));
  const notes = new Map<string, string>();
  for (const kind of ['footnote', 'endnote'] as const)
    await readDocxNotes(archive, targetOfType(relationships, `${kind}s`), kind, notes);
  const charts = new Map<string, readonly Block[]>();
  for (const { id, type, target } of relationships) {
    if (type === 'chart' && archive.has(target)) charts.set(id, await readChart(archive, target));
  }
  const walk: Walk = {
    flow: openFlow(),
    charts,
    styles,
    notes,
    paragraphs: [],
    title: undefined,
    noted: 0,
    isText: false,
    isProperty: false,
    isHeaderRow: false,
  };
  await readXml(
    archive.pieces(main),
    leavingOut(left, {
      open: (name, attributes) => open(walk, name, attributes),
      close: (name) => close(walk, name),
      text(text) {
        if (walk.isText) say(walk, text);
      },
    }),
  );
  const { blocks } = walk.flow;
  return { title: walk.title ?? (await readCoreTitle(archive)) ?? firstHeading(blocks), blocks };
}

/** A paragraph that is being read; a text box begins others inside of it. */
interface Paragraph {
  text: string;
  style: DocxStyle;
  /** Depth in a list; undefined outside of lists. */
  item: number | undefined;
  /** Those that are referred to, by number. */
  readonly notes: string[];
}

interface Walk {
  readonly flow: Flow;
  readonly styles: ReadonlyMap<string, DocxStyle>;
  readonly notes: ReadonlyMap<string, string>;
  /** By the relationship that refers to them. */
  readonly charts: ReadonlyMap<string, readonly Block[]>;
  readonly paragraphs: Paragraph[];
  title: string | undefined;
  /** Notes so far, by which they are numbered. */
  noted: number;
  /** Inside of an element whose characters are text. */
  isText: boolean;
  /** Inside of a paragraph's properties, where a tab is a tab stop. */
  isProperty: boolean;
  isHeaderRow: boolean;
}

/** Text boxes are written twice, the second time for old readers; a change tells what something was before. */
const left = new Set(
  'w:del w:moveFrom mc:Fallback w:pPrChange w:rPrChange w:tcPrChange w:trPrChange w:tblPrChange'.split(' '),
);

/** What stands for itself in a run. */
const signs: Readonly<Record<string, string>> = {
  'w:tab': '\t',
  'w:br': '\n',
  'w:cr': '\n',
  'w:noBreakHyphen': '-',
};

function say({ paragraphs }: Walk, text: string): void {
  const paragraph = paragraphs.at(-1);
  if (paragraph !== undefined) paragraph.text += text;
}

function open(walk: Walk, name: string, attributes: XmlAttributes): void {
  const { flow, paragraphs } = walk;
  const value = attributes['w:val'];
  if (name === 'w:p') paragraphs.push({ text: '', style: {}, item: undefined, notes: [] });
  else if (name === 'w:pPr') walk.isProperty = true;
  else if (name === 'w:t' || name === 'm:t') walk.isText = true;
  else if (name === 'w:tbl') flow.openTable();
  else if (name === 'w:tr') walk.isHeaderRow = false;
  else if (name === 'w:tblHeader') walk.isHeaderRow = value !== '0' && value !== 'false';
  else if (name === 'w:tc') flow.openCell();
  else if (name === 'w:gridSpan') flow.spanCell({ columns: Number(value) || 1 });
  else if (name === 'w:vMerge') flow.spanCell({ continues: value !== 'restart' });
  else if (name === 'w:footnoteReference') refer(walk, `footnote ${attributes['w:id']}`);
  else if (name === 'w:endnoteReference') refer(walk, `endnote ${attributes['w:id']}`);
  else if (name === 'c:chart') flow.add(walk.charts.get(attributes['r:id'] ?? '') ?? []);
  else if (walk.isProperty) openProperty(walk, name, value);
  else say(walk, signs[name] ?? '');
}

function openProperty(walk: Walk, name: string, value = ''): void {
  const paragraph = walk.paragraphs.at(-1);
  if (paragraph === undefined) return;
  if (name === 'w:pStyle') {
    paragraph.style = walk.styles.get(value) ?? {};
    paragraph.item ??= paragraph.style.item;
  } else if (name === 'w:outlineLvl') paragraph.style = { ...paragraph.style, level: Number(value) + 1 };
  else if (name === 'w:ilvl') paragraph.item = Number(value) || 0;
  // List 0 takes a paragraph out of the list of its style.
  else if (name === 'w:numId') paragraph.item = value === '0' ? undefined : (paragraph.item ?? 0);
}

function close(walk: Walk, name: string): void {
  const { flow } = walk;
  if (name === 'w:t' || name === 'm:t') walk.isText = false;
  else if (name === 'w:pPr') walk.isProperty = false;
  else if (name === 'w:p') closeParagraph(walk);
  else if (name === 'w:tc') flow.closeCell();
  else if (name === 'w:tr') flow.closeRow(walk.isHeaderRow);
  else if (name === 'w:tbl') flow.closeTable();
}

function closeParagraph(walk: Walk): void {
  const paragraph = walk.paragraphs.pop();
  if (paragraph === undefined || paragraph.style.isContents === true) return;
  const { text, style, item, notes } = paragraph;
  if (style.isTitle === true) walk.title ??= text.trim() || undefined;
  // The levels beyond the ninth are body text.
  if (style.level !== undefined && style.level <= 9) walk.flow.heading(text, style.level);
  else if (item === undefined) walk.flow.paragraph(text);
  else walk.flow.item(text, item);
  for (const note of notes) walk.flow.paragraph(note);
}

function refer(walk: Walk, key: string): void {
  const note = walk.notes.get(key);
  if (note === undefined) return;
  const mark = `[^${++walk.noted}]`;
  say(walk, mark);
  walk.paragraphs.at(-1)?.notes.push(`${mark}: ${note}`);
}
