import type { Archive } from './archive.ts';
import { readXml } from './xml.ts';

/** What a paragraph's style tells about its part in the document. */
export interface DocxStyle {
  /** Of a heading: 1 is the outermost. */
  readonly level?: number;
  /** Depth of the list that its paragraphs are items of. */
  readonly item?: number;
  readonly isTitle?: boolean;
  /** A line of the table of contents. */
  readonly isContents?: boolean;
}

interface RawStyle {
  name: string;
  basedOn: string;
  level: number | undefined;
  list: string | undefined;
  depth: number;
}

/** Styles by their ids, which are translated ("berschrift1"); their built-in names are not ("heading 1"). */
export async function readDocxStyles(
  archive: Archive,
  part: string | undefined,
): Promise<ReadonlyMap<string, DocxStyle>> {
  const raw = new Map<string, RawStyle>();
  let style: RawStyle | undefined;
  if (part === undefined || !archive.has(part)) return new Map();
  await readXml(archive.pieces(part), {
    open(name, attributes) {
      const value = attributes['w:val'] ?? '';
      if (name === 'w:style') {
        style = { name: '', basedOn: '', level: undefined, list: undefined, depth: 0 };
        if (attributes['w:type'] === 'paragraph') raw.set(attributes['w:styleId'] ?? '', style);
      } else if (style === undefined) return;
      else if (name === 'w:name') style.name = value.toLowerCase();
      else if (name === 'w:basedOn') style.basedOn = value;
      else if (name === 'w:outlineLvl') style.level = Number(value) + 1;
      else if (name === 'w:numId') style.list = value;
      else if (name === 'w:ilvl') style.depth = Number(value) || 0;
    },
    close(name) {
      if (name === 'w:style') style = undefined;
    },
  });
  return new Map([...raw.keys()].map((id) => [id, resolve(raw, id, 0)]));
}

/** Longer chains of styles than this go round in a circle. */
const longestChain = 16;

/** A style has what the one that it is based on has, but for what it says itself. */
function resolve(raw: ReadonlyMap<string, RawStyle>, id: string, steps: number): DocxStyle {
  const style = raw.get(id);
  if (style === undefined || steps > longestChain) return {};
  const { name, basedOn, list, depth } = style;
  const { level, item, isTitle } = resolve(raw, basedOn, steps + 1);
  const named = /^heading ([1-9])$/u.exec(name)?.[1];
  const own = name === 'title' ? 1 : (style.level ?? (named === undefined ? level : Number(named)));
  const ownItem = list === undefined ? item : list === '0' ? undefined : depth;
  return {
    ...(own !== undefined && { level: own }),
    ...(ownItem !== undefined && { item: ownItem }),
    ...((isTitle === true || name === 'title') && { isTitle: true }),
    ...(/^toc (?:\d|heading)$/u.test(name) && { isContents: true }),
  };
}

/** Adds notes as `footnote 2` -> its text on one line. */
export async function readDocxNotes(
  archive: Archive,
  part: string | undefined,
  kind: 'footnote' | 'endnote',
  notes: Map<string, string>,
): Promise<void> {
  let note = '';
  let key: string | undefined;
  let isText = false;
  if (part === undefined || !archive.has(part)) return;
  await readXml(archive.pieces(part), {
    open(name, attributes) {
      if (name === `w:${kind}`) {
        note = '';
        // Notes of a type are the lines that separate notes from text.
        key = attributes['w:type'] === undefined ? `${kind} ${attributes['w:id']}` : undefined;
      } else if (name === 'w:t') isText = true;
      else if (name === 'w:tab' || name === 'w:br' || name === 'w:p') note += ' ';
    },
    close(name) {
      if (name === 'w:t') isText = false;
      else if (name === `w:${kind}` && key !== undefined) notes.set(key, note.replace(/\s+/gu, ' ').trim());
    },
    text: (text) => (note += isText ? text : ''),
  });
}
