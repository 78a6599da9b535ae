import type { Archive } from './archive.ts';
import type { Block, ParsedText } from './block.ts';
import { cleanLine } from './clean.ts';
import { type Flow, openFlow } from './flow.ts';
import { type HiddenStyles, odfLeft, odfSigns, openHiddenStyles } from './odf-parts.ts';
import { leavingOut, readXml, type XmlAttributes } from './xml.ts';

/** A paragraph that is being read; a note or a text box begins others inside of it. */
interface Paragraph {
  text: string;
  /** Of a heading. */
  readonly level: number | undefined;
  readonly notes: string[];
}

interface Slide {
  readonly number: number;
  title: string;
  /** Blocks before it. */
  readonly from: number;
}

interface Walk {
  readonly flow: Flow;
  readonly paragraphs: Paragraph[];
  /** Paragraphs of the notes that are open. */
  readonly notes: string[][];
  noted: number;
  readonly styles: HiddenStyles;
  readonly hidden: number[];
  slide: Slide | undefined;
  slides: number;
  /** What the frame we are in is for, on a slide: `title`, `notes`, `footer`. */
  frame: string;
  depth: number;
  headerRows: number;
}

/**
 * Texts and presentations, read as a stream of elements. Deleted text, comments and the table of contents are
 * left out; notes follow their paragraph as `[^1]: ...`. A slide is a page, its title the heading.
 */
export async function parseOdfText(archive: Archive): Promise<Pick<ParsedText, 'blocks' | 'warnings'>> {
  const walk: Walk = {
    flow: openFlow(),
    paragraphs: [],
    notes: [],
    noted: 0,
    styles: openHiddenStyles(),
    hidden: [],
    slide: undefined,
    slides: 0,
    frame: '',
    depth: 0,
    headerRows: 0,
  };
  await readXml(
    archive.pieces('content.xml'),
    leavingOut(odfLeft, {
      open: (name, attributes) => open(walk, name, attributes),
      close: (name) => close(walk, name),
      // White space between elements and in paragraphs is a space, as in HTML; what counts is written as elements.
      text: (text) => say(walk, text.replace(/\s+/gu, ' ')),
    }),
  );
  const warnings = walk.hidden.length > 0 ? [`hidden slides are read: ${walk.hidden.join(', ')}`] : [];
  return { blocks: walk.flow.blocks, warnings };
}

function say({ paragraphs }: Walk, text: string): void {
  const paragraph = paragraphs.at(-1);
  if (paragraph !== undefined) paragraph.text += text;
}

function open(walk: Walk, name: string, attributes: XmlAttributes): void {
  const { flow } = walk;
  if (name === 'text:p') walk.paragraphs.push({ text: '', level: undefined, notes: [] });
  else if (name === 'text:h')
    walk.paragraphs.push({ text: '', level: Number(attributes['text:outline-level']) || 1, notes: [] });
  else if (name === 'text:list') walk.depth++;
  else if (name === 'text:note') walk.notes.push([]);
  else if (name === 'table:table') flow.openTable();
  else if (name === 'table:table-header-rows') walk.headerRows++;
  else if (name === 'table:table-cell') {
    flow.openCell({
      columns: Number(attributes['table:number-columns-spanned']) || 1,
      rows: Number(attributes['table:number-rows-spanned']) || 1,
    });
  } else if (name === 'draw:page') openSlide(walk, attributes);
  else if (name === 'draw:frame') walk.frame = attributes['presentation:class'] ?? '';
  else if (walk.paragraphs.length > 0) say(walk, odfSigns(name, attributes));
  else walk.styles.read(name, attributes);
}

function close(walk: Walk, name: string): void {
  const { flow } = walk;
  if (name === 'text:p' || name === 'text:h') closeParagraph(walk);
  else if (name === 'text:list') walk.depth--;
  else if (name === 'text:note') closeNote(walk);
  else if (name === 'table:table-header-rows') walk.headerRows--;
  else if (name === 'table:table-cell') flow.closeCell();
  else if (name === 'table:table-row') flow.closeRow(walk.headerRows > 0);
  else if (name === 'table:table') flow.closeTable();
  else if (name === 'draw:page') closeSlide(walk);
  else if (name === 'draw:frame') walk.frame = '';
}

/** Frames whose text is the same on every slide. */
const repeated = new Set(['footer', 'header', 'date-time', 'page-number']);

function closeParagraph(walk: Walk): void {
  const paragraph = walk.paragraphs.pop();
  if (paragraph === undefined || repeated.has(walk.frame)) return;
  const { flow, slide, frame, depth } = walk;
  const text = paragraph.text.trim();
  const note = walk.notes.at(-1);
  if (note !== undefined) note.push(text);
  else if (slide !== undefined && frame === 'title') slide.title = cleanLine(`${slide.title} ${text}`);
  else if (paragraph.level !== undefined) flow.heading(text, paragraph.level);
  else if (depth > 0) flow.item(text, depth - 1);
  else flow.paragraph(text);
  for (const line of paragraph.notes) flow.paragraph(line);
}

function closeNote(walk: Walk): void {
  const text = walk.notes.pop()?.join(' ') ?? '';
  const mark = `[^${++walk.noted}]`;
  say(walk, mark);
  walk.paragraphs.at(-1)?.notes.push(`${mark}: ${text}`);
}

function openSlide(walk: Walk, attributes: XmlAttributes): void {
  const number = ++walk.slides;
  walk.flow.page = number;
  walk.slide = { number, title: '', from: walk.flow.blocks.length };
  if (walk.styles.has(attributes['draw:style-name'])) walk.hidden.push(number);
}

/** The title goes first, wherever it stands in the file. */
function closeSlide({ flow, slide }: Walk): void {
  if (slide === undefined) return;
  const { number, title, from } = slide;
  if (title === '' && flow.blocks.length === from) return;
  const heading: Block = { kind: 'heading', text: title || `Slide ${number}`, level: 1, page: number };
  flow.blocks.splice(from, 0, heading);
}
