/**
 * A page as data: a tree of elements whose texts are texts. Two renderers read it, `html` and `browser/dom`, and neither
 * ever parses a text as markup. Tags and attributes are a closed list without scripts, styles and event handlers, so
 * that no view can make one, whatever it is given.
 */

/** The words of a text, for the compiler too. */
type WordsOf<Text extends string> = Text extends `${infer First} ${infer Rest}`
  ? First | WordsOf<Rest>
  : Text;
const words = <const Text extends string>(text: Text): ReadonlySet<WordsOf<Text>> =>
  new Set(text.split(' ') as WordsOf<Text>[]);

const frameTags = words('header main section footer div p span h1 h2 h3 figure figcaption details summary');
const textTags = words('ol ul li dl dt dd table thead tbody tr th td strong code kbd time bdi a');
const formTags = words('form label input textarea button progress');
const svgTags = words('svg path rect line');

const htmlNames = words('class id href for type title dir role tabindex scope hidden open disabled datetime');
const formNames = words(
  'value max rows maxlength placeholder autocomplete spellcheck data-act data-n data-why',
);
const ariaNames = words(
  'aria-label aria-labelledby aria-describedby aria-live aria-busy aria-hidden aria-keyshortcuts',
);
const svgNames = words('viewBox preserveAspectRatio vector-effect d x y x1 x2 y1 y2 width height');

type In<Words> = Words extends ReadonlySet<infer Word> ? Word : never;
export type Tag = In<typeof frameTags | typeof textTags | typeof formTags | typeof svgTags>;
type AttributeName = In<typeof htmlNames | typeof formNames | typeof ariaNames | typeof svgNames>;
export type Attributes = Readonly<Partial<Record<AttributeName, string | number | boolean | undefined>>>;

export interface TreeElement {
  readonly tag: Tag;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Tree[];
}
export type Tree = TreeElement | string;

/** What a view may write between the tags; nothing is drawn of null, undefined and false. */
export type Content = Tree | number | null | undefined | false | readonly Content[];

const knownTags: ReadonlySet<string> = new Set([...frameTags, ...textTags, ...formTags, ...svgTags]);
const knownNames: ReadonlySet<string> = new Set([...htmlNames, ...formNames, ...ariaNames, ...svgNames]);

export const isSvg = (tag: Tag): boolean => (svgTags as ReadonlySet<Tag>).has(tag);

/** @throws when a tag or an attribute is not in the list, or an address leads out of the page: a bug of a view */
export function el(tag: Tag, attributes: Attributes = {}, ...content: readonly Content[]): TreeElement {
  if (!knownTags.has(tag)) throw new Error(`Cannot draw <${tag}>: it is not in the list of tags`);
  const written = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [[name, writtenAttribute(name, value)] as const],
  );
  return { tag, attributes: Object.fromEntries(written), children: childrenOf(content) };
}

function writtenAttribute(name: string, value: string | number | true): string {
  if (!knownNames.has(name)) throw new Error(`Cannot draw the attribute ${name}: it is not in the list`);
  const text = value === true ? '' : cleanText(String(value));
  if (name === 'href' && !text.startsWith('#')) throw new Error('Cannot draw an address outside of the page');
  return text;
}

/** Neighbouring texts are one, as a browser reads them. */
function childrenOf(content: readonly Content[]): readonly Tree[] {
  const children: Tree[] = [];
  for (const each of flatten(content)) {
    const last = children.at(-1);
    if (typeof each !== 'string') children.push(each);
    else if (typeof last === 'string') children[children.length - 1] = last + each;
    else if (each !== '') children.push(each);
  }
  return children;
}

function* flatten(content: readonly Content[]): Generator<Tree, void> {
  for (const each of content)
    if (isList(each)) yield* flatten(each);
    else if (typeof each === 'number') yield String(each);
    else if (typeof each === 'string') yield cleanText(each);
    else if (each) yield each;
}

const isList = (content: Content): content is readonly Content[] => Array.isArray(content);

/**
 * Without control characters but tab and line feed, and without what turns the direction of a text round: a name could
 * look like another one.
 */
const cleanText = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, '');
