/** A tree as HTML, for the first paint and for files. */
import type { Tree } from './tree.ts';

const withoutEnd: ReadonlySet<string> = new Set(['input']);

export function toHtml(tree: Tree): string {
  if (typeof tree === 'string') return escaped(tree);
  const attributes = Object.entries(tree.attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const start = `<${tree.tag}${attributes.join('')}>`;
  if (withoutEnd.has(tree.tag)) return start;
  return `${start}${tree.children.map(toHtml).join('')}</${tree.tag}>`;
}

/** Right in a text and between quotes. */
export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
