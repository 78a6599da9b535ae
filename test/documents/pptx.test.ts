import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pptxOf, relationships, shape, slideOf } from '../fixtures/documents/office.ts';
import { openParsing, textOf } from '../fixtures/documents/parse.ts';

const parsing = await openParsing();
after(() => parsing[Symbol.asyncDispose]());
const title = '<p:ph type="title"/>';

test('a slide is a page with its title as heading, in the order of the show', async () => {
  const slides = [
    shape('One\nTwo', '<p:ph idx="1"/>') + shape('First aims', title),
    shape('Only a text box'),
    shape('Last', title) + shape('7', '<p:ph type="sldNum"/>') + shape('ACME', '<p:ph type="ftr"/>'),
  ];
  const document = await parsing.good('a.pptx', pptxOf(slides));
  assert.equal(document.title, 'First aims');
  assert.equal(textOf(document), 'First aims\n\n- One\n- Two\n\nSlide 2\n\nOnly a text box\n\nLast');
  assert.deepEqual([document.chunks[0]?.page, document.chunks[0]?.pageEnd], [1, 3]);
});

test('tables, diagrams and the notes of the speaker are read; merged cells are said in each row', async () => {
  const cell = (text: string, attributes = ''): string =>
    `<a:tc ${attributes}><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
  const table = `<p:graphicFrame><a:tbl><a:tr>${cell('Drug')}${cell('Dose')}</a:tr><a:tr>${cell('A', 'rowSpan="2"')}${cell('5')}</a:tr><a:tr>${cell('', 'vMerge="1"')}${cell('9')}</a:tr></a:tbl></p:graphicFrame>`;
  const document = await parsing.good(
    'b.pptx',
    pptxOf([shape('Doses', title) + table], {
      'ppt/slides/_rels/slide1.xml.rels': relationships({
        n: ['notesSlide', '../notesSlides/n.xml'],
        d: ['diagramData', '../diagrams/d.xml'],
        x: ['image', 'file:///etc/passwd'],
      }),
      'ppt/notesSlides/n.xml': slideOf(
        shape('Say hello.', '<p:ph type="body"/>') + shape('1', '<p:ph type="sldNum"/>'),
      ),
      'ppt/diagrams/d.xml': slideOf('<a:p><a:r><a:t>In the diagram</a:t></a:r></a:p>'),
    }),
  );
  assert.equal(
    textOf(document),
    'Doses\n\nDrug | Dose\nA | 5\nA | 9\n\nIn the diagram\n\nSpeaker notes\n\nSay hello.',
  );
  assert.equal(document.chunks[0]?.page, 1);
});

test('hidden slides are read, and told', async () => {
  const hidden = slideOf(shape('Hidden', title), 'show="0"');
  const document = await parsing.good('c.pptx', pptxOf([shape('Shown', title), hidden]));
  assert.match(textOf(document), /Hidden/);
  assert.deepEqual(document.warnings, ['hidden slides are read: 2']);
});

test('a presentation of nothing but pictures needs OCR', async () => {
  const pictures = pptxOf(['<p:pic/>'], { 'ppt/media/image1.png': 'x' });
  const [document] = await parsing.all('scan.pptx', pictures);
  assert.equal(document?.state, 'needs_ocr');
});

test('a chart is a table of its series', async () => {
  const points = (...values: readonly string[]): string =>
    values.map((value, n) => `<c:pt idx="${n}"><c:v>${value}</c:v></c:pt>`).join('');
  const series = (name: string, ...values: readonly string[]): string =>
    `<c:ser><c:tx>${points(name)}</c:tx><c:cat>${points('2023', '2024')}</c:cat><c:val>${points(...values)}</c:val></c:ser>`;
  const chart = `<c:chart><c:title><c:tx><a:p><a:r><a:t>Doses</a:t></a:r></a:p></c:tx></c:title>${series('A', '1', '2')}${series('B', '3', '4')}</c:chart>`;
  const document = await parsing.good(
    'chart.pptx',
    pptxOf([shape('Growth', title)], {
      'ppt/slides/_rels/slide1.xml.rels': relationships({ c: ['chart', '../charts/chart1.xml'] }),
      'ppt/charts/chart1.xml': chart,
    }),
  );
  assert.equal(textOf(document), 'Growth\n\nDoses\n\n | A | B\n2023 | 1 | 3\n2024 | 2 | 4');
});

test('a title that the program made up is none', async () => {
  const core = '<cp:coreProperties><dc:title>PowerPoint Presentation</dc:title></cp:coreProperties>';
  const document = await parsing.good('d.pptx', pptxOf([shape('x')], { 'docProps/core.xml': core }));
  assert.equal(document.title, 'd.pptx');
});
