/**
 * A tree in the page. What is there already and fits is kept, so that focus, selection, what is open and what is written
 * stay where they are. Texts become text nodes, whatever stands in them.
 */
import { isSvg, type Tree, type TreeElement } from '../tree.ts';

const svgNamespace = 'http://www.w3.org/2000/svg';

/** What the reader changes himself: drawn once, and his from then on. */
const ofReader: ReadonlySet<string> = new Set(['open']);

/** The tree that a node was drawn from: the same one is not looked at again. */
const drawnFrom = new WeakMap<Node, Tree>();

export function draw(parent: Element, children: readonly Tree[]): void {
  for (const [index, child] of children.entries()) {
    const there = parent.childNodes[index];
    if (there === undefined) parent.append(made(child));
    else if (!fits(there, child)) there.replaceWith(made(child));
    else update(there, child);
  }
  while (parent.childNodes.length > children.length) parent.lastChild?.remove();
}

const fits = (node: Node, tree: Tree): boolean =>
  typeof tree === 'string'
    ? node.nodeType === Node.TEXT_NODE
    : node instanceof Element &&
      node.localName === tree.tag.toLowerCase() &&
      (node.getAttribute('id') ?? '') === (tree.attributes['id'] ?? '');

function update(node: Node, tree: Tree): void {
  if (drawnFrom.get(node) === tree) return;
  drawnFrom.set(node, tree);
  if (typeof tree === 'string') {
    if (node.nodeValue !== tree) node.nodeValue = tree;
    return;
  }
  if (!(node instanceof Element)) return;
  for (const name of node.getAttributeNames())
    if (tree.attributes[name] === undefined && !ofReader.has(name)) node.removeAttribute(name);
  for (const [name, value] of Object.entries(tree.attributes))
    if (!ofReader.has(name) && node.getAttribute(name) !== value) node.setAttribute(name, value);
  draw(node, tree.children);
}

function made(tree: Tree): Node {
  if (typeof tree === 'string') return document.createTextNode(tree);
  const element = emptyElement(tree);
  for (const [name, value] of Object.entries(tree.attributes)) element.setAttribute(name, value);
  element.append(...tree.children.map(made));
  drawnFrom.set(element, tree);
  return element;
}

const emptyElement = ({ tag }: TreeElement): Element =>
  isSvg(tag) ? document.createElementNS(svgNamespace, tag) : document.createElement(tag);
