import type { Archive } from './archive.ts';
import type { Block, ParsedText } from './block.ts';
import { cleanLine } from './clean.ts';
import { type Flow, openFlow } from './flow.ts';
import { readChart } from './ooxml-chart.ts';
import { readCoreTitle, readRelationships, targetOfType } from './ooxml.ts';
import { leavingOut, readXml, type XmlAttributes } from './xml.ts';

/**
 * Presentations: a slide is a page, its title the heading; then its texts in the order of the file, its tables,
 * the words of its diagrams, the numbers of its charts and the speaker's notes. What stands on every slide (number, date, footer) and
 * comments are left out. Hidden slides are read, and told.
 */
export async function parsePptx(archive: Archive, main: string): Promise<ParsedText> {
  const blocks: Block[] = [];
  const hidden: number[] = [];
  let title: string | undefined;
  for (const [index, part] of (await readSlideList(archive, main)).entries()) {
    const page = index + 1;
    const slide = await readSlide(archive, part, page);
    if (slide.isHidden) hidden.push(page);
    title ??= slide.title || undefined;
    if (slide.blocks.length === 0 && slide.title === '') continue;
    blocks.push({ kind: 'heading', text: slide.title || `Slide ${page}`, level: 1, page }, ...slide.blocks);
  }
  title ??= await readCoreTitle(archive);
  return {
    title,
    blocks,
    warnings: hidden.length > 0 ? [`hidden slides are read: ${hidden.join(', ')}`] : [],
  };
}

/** Parts, in the order of the show: their names say nothing about it. */
async function readSlideList(archive: Archive, main: string): Promise<string[]> {
  const targets = new Map((await readRelationships(archive, main)).map(({ id, target }) => [id, target]));
  const parts: string[] = [];
  await readXml(archive.pieces(main), {
    open(name, attributes) {
      const target = name === 'p:sldId' ? targets.get(attributes['r:id'] ?? '') : undefined;
      if (target !== undefined) parts.push(target);
    },
  });
  return parts;
}

interface Slide {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly isHidden: boolean;
}

async function readSlide(archive: Archive, part: string, page: number): Promise<Slide> {
  const flow = openFlow();
  flow.page = page;
  const slide = await readDrawing(archive, part, flow, placeOnSlide);
  const relationships = await readRelationships(archive, part);
  for (const { type, target } of relationships) {
    if (!archive.has(target)) continue;
    if (type === 'diagramData') await readDrawing(archive, target, flow, placeOnSlide);
    else if (type === 'chart') flow.add(await readChart(archive, target));
  }
  const notes = targetOfType(relationships, 'notesSlide');
  if (notes !== undefined && archive.has(notes)) {
    const before = flow.blocks.length;
    flow.heading('Speaker notes', 2);
    await readDrawing(archive, notes, flow, (kind) => (kind === 'body' ? 'text' : 'nowhere'));
    if (flow.blocks.length === before + 1) flow.blocks.pop();
  }
  return { ...slide, blocks: flow.blocks };
}

/** Where a paragraph goes, by the kind of its placeholder; '' in any other shape. */
type Place = (kind: string) => 'title' | 'list' | 'text' | 'nowhere';

/** Kinds whose text is the same on every slide. */
const repeated = new Set(['dt', 'ftr', 'hdr', 'sldNum', 'sldImg']);

function placeOnSlide(kind: string): ReturnType<Place> {
  if (kind === 'title' || kind === 'ctrTitle') return 'title';
  if (kind === 'body' || kind === 'obj') return 'list';
  return repeated.has(kind) ? 'nowhere' : 'text';
}

interface Walk {
  readonly flow: Flow;
  title: string;
  isHidden: boolean;
  /** Of the placeholder we are in; '' in any other shape. */
  kind: string;
  text: string;
  level: number;
  isText: boolean;
  /** A cell that is covered by another one. */
  isCovered: boolean;
}

/** What is written a second time, for old readers. */
const fallbacks = new Set(['mc:Fallback']);

/** Writes the paragraphs and tables of a part into `flow`, except its title. */
async function readDrawing(
  archive: Archive,
  part: string,
  flow: Flow,
  placeOf: Place,
): Promise<Omit<Slide, 'blocks'>> {
  const walk: Walk = {
    flow,
    title: '',
    isHidden: false,
    kind: '',
    text: '',
    level: 0,
    isText: false,
    isCovered: false,
  };
  await readXml(
    archive.pieces(part),
    leavingOut(fallbacks, {
      open: (name, attributes) => open(walk, name, attributes),
      close: (name) => close(walk, name, placeOf),
      text: (text) => void (walk.text += walk.isText ? text : ''),
    }),
  );
  return { title: walk.title, isHidden: walk.isHidden };
}

function open(walk: Walk, name: string, attributes: XmlAttributes): void {
  const { flow } = walk;
  if (name === 'p:sld') walk.isHidden = attributes['show'] === '0';
  else if (name === 'p:sp') walk.kind = '';
  // One that does not say what it is holds the text of the slide.
  else if (name === 'p:ph') walk.kind = attributes['type'] ?? 'body';
  else if (name === 'a:p') {
    walk.text = '';
    walk.level = 0;
  } else if (name === 'a:pPr') walk.level = Number(attributes['lvl']) || 0;
  else if (name === 'a:t') walk.isText = true;
  else if (name === 'a:br') walk.text += '\n';
  else if (name === 'a:tbl') flow.openTable();
  else if (name === 'a:tc') {
    walk.isCovered = isOn(attributes['hMerge']) || isOn(attributes['vMerge']);
    flow.openCell({ columns: Number(attributes['gridSpan']) || 1, rows: Number(attributes['rowSpan']) || 1 });
  }
}

const isOn = (value: string | undefined): boolean => value === '1' || value === 'true';

function close(walk: Walk, name: string, placeOf: Place): void {
  const { flow } = walk;
  if (name === 'p:sp') walk.kind = '';
  else if (name === 'a:t') walk.isText = false;
  else if (name === 'a:p') closeParagraph(walk, placeOf(walk.kind));
  else if (name === 'a:tc' && !walk.isCovered) flow.closeCell();
  else if (name === 'a:tr') flow.closeRow(false);
  else if (name === 'a:tbl') flow.closeTable();
}

function closeParagraph(walk: Walk, place: ReturnType<Place>): void {
  const { flow, text, level } = walk;
  if (place === 'title') walk.title = cleanLine(`${walk.title} ${text}`);
  else if (place === 'list') flow.item(text, level);
  else if (place === 'text') flow.paragraph(text);
}
