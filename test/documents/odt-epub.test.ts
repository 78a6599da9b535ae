import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { epubOf, odfOf } from '../fixtures/documents/office.ts';
import { openParsing, textOf } from '../fixtures/documents/parse.ts';

const parsing = await openParsing();
after(() => parsing[Symbol.asyncDispose]());

test('an ODT keeps headings, lists, tables and notes, and leaves out deleted text, comments and contents', async () => {
  const body = `<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p></text:deletion></text:changed-region></text:tracked-changes>
    <text:table-of-content><text:index-body><text:p>Methods 3</text:p></text:index-body></text:table-of-content>
    <text:h text:outline-level="1">Methods</text:h><text:h text:outline-level="2">Doses</text:h>
    <text:p>Some<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>A note.</text:p></text:note-body></text:note>
      text<text:s text:c="3"/>x<office:annotation><text:p>comment</text:p></office:annotation><text:tab/>y</text:p>
    <text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p></text:list-item></text:list></text:list-item></text:list>
    <table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>H</text:p></table:table-cell><table:table-cell table:number-columns-spanned="2"><text:p>I</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table-header-rows>
      <table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>1</text:p><text:p>one</text:p></table:table-cell><table:table-cell><text:p>2</text:p></table:table-cell><table:table-cell><text:p>3</text:p></table:table-cell></table:table-row>
      <table:table-row><table:covered-table-cell/><table:table-cell><text:p>4</text:p></table:table-cell><table:table-cell><text:p>5</text:p></table:table-cell></table:table-row></table:table>`;
  const document = await parsing.good('a.odt', odfOf('text', body));
  assert.equal(
    textOf(document),
    'Methods\n\nDoses\n\nSome[^1] text   x\ty\n\n[^1]: A note.\n\n- a\n  - b\n\nH | I\n1 one | 2 | 3\n1 one | 4 | 5',
  );
  assert.equal(document.title, 'Methods');
});

test('an ODP has a page for each slide, with its title as heading', async () => {
  const frame = (kind: string, text: string): string =>
    `<draw:frame presentation:class="${kind}"><draw:text-box><text:p>${text}</text:p></draw:text-box></draw:frame>`;
  const body = `<draw:page draw:style-name="dp1">${frame('subtitle', 'below')}${frame('title', 'Aims')}${frame('footer', 'ACME')}<presentation:notes>${frame('notes', 'Say hello.')}${frame('page-number', '1')}</presentation:notes></draw:page>
    <draw:page draw:style-name="dp2"><draw:frame><draw:text-box><text:p>free</text:p></draw:text-box></draw:frame></draw:page>`;
  const styles =
    '<style:style style:name="dp1"/><style:style style:name="dp2"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>';
  const document = await parsing.good('a.odp', odfOf('presentation', body, styles));
  assert.equal(textOf(document), 'Aims\n\nbelow\n\nSay hello.\n\nSlide 2\n\nfree');
  assert.deepEqual([document.chunks[0]?.page, document.chunks[0]?.pageEnd], [1, 2]);
  assert.deepEqual(document.warnings, ['hidden slides are read: 2']);
});

test('a book is read in the order of its spine, without its navigation', async () => {
  const page = (title: string, text: string): string =>
    `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x.js"/></head><body><h1>${title}</h1><a id="x"/><p>${text}&nbsp;here.</p></body></html>`;
  const document = await parsing.good(
    'a.epub',
    epubOf({
      pages: {
        'nav.xhtml': page('Contents', 'One'),
        'b b.xhtml': page('Second', 'Two'),
        'a.xhtml': page('First', 'One'),
      },
      spine: ['nav.xhtml', 'a.xhtml', 'b b.xhtml', 'gone.xhtml', 'a.xhtml'],
      parts: {
        'META-INF/encryption.xml': '<encryption><enc:CipherReference URI="OPS/font.otf"/></encryption>',
      },
    }),
  );
  assert.equal(document.title, 'The book');
  assert.equal(textOf(document).replaceAll('\u00a0', ' '), 'First\n\nOne here.\n\nSecond\n\nTwo here.');
});
