import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Parser } from 'htmlparser2';
import { toHtml } from '../../src/page/html.ts';
import { el, type Tag, type Tree } from '../../src/page/tree.ts';

/** What a parser makes of a text: tags with their attributes, and the texts between them. */
function parsed(html: string): unknown[] {
  const seen: unknown[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') seen.push(text);
    text = '';
  };
  const parser = new Parser({
    onopentag: (name, attributes) => (flush(), void seen.push([name, attributes])),
    ontext: (piece) => void (text += piece),
    onclosetag: (name) => (flush(), void seen.push(`/${name}`)),
    oncomment: (comment) => void seen.push({ comment }),
    onprocessinginstruction: (name) => void seen.push({ name }),
  });
  parser.end(html);
  return seen;
}

const hostile = [
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  '<!--',
  '&lt;b&gt; &amp;amp; &#60;',
  ']]>',
  '\u2028\u2029',
];
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...hostile), fc.string());

test('whatever a text is, a parser reads it back as that text and no markup', () => {
  fc.assert(
    fc.property(anyText, anyText, (text, title) => {
      const tree = el('p', { title }, el('bdi', {}, text), text);
      const [child, after] = tree.children;
      const shown = (one: Tree | undefined): unknown[] => (typeof one === 'string' ? [one] : []);
      const inner = typeof child === 'object' ? child.children : [];
      assert.deepEqual(parsed(toHtml(tree)), [
        ['p', { title: tree.attributes['title'] }],
        ['bdi', {}],
        ...inner,
        '/bdi',
        ...shown(after),
        '/p',
      ]);
    }),
  );
});

test('what could deceive a reader or a terminal is taken out, and nothing else', () => {
  const range = (from: number, to: number): string =>
    String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, at) => from + at));
  const out = [range(0, 8), range(11, 31), range(127, 159), range(0x20_2a, 0x20_2e), range(0x20_66, 0x20_69)];
  for (const each of out) assert.deepEqual(el('p', { title: each }, `a${each}b`).children, ['ab']);
  const kept = `\t\n${range(32, 126)}${range(160, 1000)}${range(0x20_2f, 0x20_65)}😀`;
  assert.deepEqual(el('p', {}, kept).children, [kept]);
});

test('neighbouring texts are one text, as a browser reads them, and nothing is drawn of nothing', () => {
  const { children } = el('p', {}, 'a', ['b', [1, null, false, undefined, '']], el('span'), '', 'c');
  assert.deepEqual(children, ['ab1', el('span'), 'c']);
});

test('a view cannot make a script, a style, an event handler or an address that leads out', () => {
  const make =
    (tag: string, attributes: object = {}) =>
    () =>
      el(tag as Tag, attributes);
  for (const tag of [
    'script',
    'style',
    'iframe',
    'img',
    'object',
    'link',
    'base',
    'meta',
    'foreignObject',
    'use',
  ])
    assert.throws(make(tag), /not in the list/);
  for (const name of [
    'onclick',
    'onerror',
    'style',
    'src',
    'srcdoc',
    'action',
    'formaction',
    'target',
    'xlink:href',
  ])
    assert.throws(make('a', { [name]: 'x' }), /not in the list/);
  for (const href of [
    'javascript:alert(1)',
    '//evil.example',
    'https://evil.example',
    ' #x',
    'data:text/html,x',
    '/\\evil.example',
  ])
    assert.throws(make('a', { href }), /outside of the page/);
  assert.equal(
    toHtml(el('a', { href: '#passage-1', hidden: true, title: undefined }, 'x')),
    '<a href="#passage-1" hidden="">x</a>',
  );
});
