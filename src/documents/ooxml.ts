import { posix } from 'node:path';
import type { Archive } from './archive.ts';
import { readXml } from './xml.ts';

/** What the formats of Office since 2007 share: parts, and named relationships from part to part. */
export interface Relationship {
  readonly id: string;
  /** The last word of its type, e.g. `slide`, `notesSlide`, `footnotes`. */
  readonly type: string;
  /** Name of a part in the archive. */
  readonly target: string;
}

/** @returns those to other parts; what lies outside of the file is not even looked at */
export async function readRelationships(archive: Archive, part: string): Promise<Relationship[]> {
  const found: Relationship[] = [];
  const name = posix.join(posix.dirname(part), '_rels', `${posix.basename(part)}.rels`);
  if (!archive.has(name)) return found;
  await readXml(archive.pieces(name), {
    open: (element, { Id: id = '', Type: type = '', Target: target = '', TargetMode: mode }) => {
      if (element !== 'Relationship' || mode === 'External') return;
      const path = posix.resolve('/', posix.dirname(part), target).slice(1);
      found.push({ id, type: type.slice(type.lastIndexOf('/') + 1), target: path });
    },
  });
  return found;
}

export const targetOfType = (relationships: readonly Relationship[], type: string): string | undefined =>
  relationships.find((one) => one.type === type)?.target;

/** What programs write when nobody has given a title. */
const madeUp =
  /^(?:power\s?point[- ]pr\S*|presentation|présentation powerpoint|präsentation|untitled.*|unbenannt.*|microsoft (?:word|powerpoint) - .*|(?:document|slide|folie)\s?\d*|title)$/iu;

export const titleOrNone = (title: string): string | undefined =>
  title.trim() === '' || madeUp.test(title.trim()) ? undefined : title.trim();

/** The title among the document's properties; in many files it is the title of what it was copied from. */
export async function readCoreTitle(archive: Archive): Promise<string | undefined> {
  let title = '';
  let isInside = false;
  if (!archive.has('docProps/core.xml')) return undefined;
  await readXml(archive.pieces('docProps/core.xml'), {
    open: (name) => (isInside ||= name === 'dc:title'),
    close: (name) => (isInside &&= name !== 'dc:title'),
    text: (text) => (title += isInside ? text : ''),
  });
  return titleOrNone(title);
}
