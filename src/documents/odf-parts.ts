import type { XmlAttributes } from './xml.ts';

/** Elements that are left out with all that is in them: what was deleted, comments, contents, what is no text. */
export const odfLeft: ReadonlySet<string> = new Set([
  'text:tracked-changes',
  'office:annotation',
  'text:table-of-content',
  'text:note-citation',
  'office:binary-data',
  'svg:title',
  'svg:desc',
]);

/** White space that is written as elements. */
export function odfSigns(name: string, attributes: XmlAttributes): string {
  if (name === 'text:tab') return '\t';
  if (name === 'text:line-break') return '\n';
  return name === 'text:s' ? ' '.repeat(Math.min(Number(attributes['text:c']) || 1, 100)) : '';
}

/** Styles that hide the sheets and slides that have them; they stand in front of what uses them. */
export interface HiddenStyles {
  read(name: string, attributes: XmlAttributes): void;
  has(style: string | undefined): boolean;
}

export function openHiddenStyles(): HiddenStyles {
  const hidden = new Set<string>();
  let style = '';
  return {
    read(name, attributes) {
      if (name === 'style:style') style = attributes['style:name'] ?? '';
      else if (attributes['table:display'] === 'false' || attributes['presentation:visibility'] === 'hidden')
        hidden.add(style);
    },
    has: (name) => name !== undefined && hidden.has(name),
  };
}
