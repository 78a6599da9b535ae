import type { Archive } from './archive.ts';
import { type Block, openCount, type ParsedText } from './block.ts';
import { cleanLine } from './clean.ts';
import { readCoreTitle, readRelationships, targetOfType } from './ooxml.ts';
import { type NumberKind, readNumberKinds } from './xlsx-numbers.ts';
import { readSheet } from './xlsx-sheet.ts';
import { readXml } from './xml.ts';

/**
 * Workbooks: a sheet is a section under its name, and its rows are tables of what the cells show: values of
 * formulas as they were last computed, dates as dates. Comments, charts and pictures are left out. Hidden
 * sheets are read, and told.
 */
export async function parseXlsx(archive: Archive, main: string): Promise<ParsedText> {
  const relationships = await readRelationships(archive, main);
  const { sheets, since1904 } = await readWorkbook(archive, main);
  const cells = {
    strings: await readStrings(archive, targetOfType(relationships, 'sharedStrings')),
    kinds: await readKinds(archive, targetOfType(relationships, 'styles')),
    since1904,
    count: openCount(),
  };
  const blocks: Block[] = [];
  const hidden: string[] = [];
  for (const { id, name, isHidden } of sheets) {
    const part = relationships.find((one) => one.id === id && one.type === 'worksheet')?.target;
    if (part === undefined || !archive.has(part)) continue;
    const tables = await readSheet(archive, part, cells);
    if (tables.length === 0) continue;
    if (isHidden) hidden.push(name);
    blocks.push({ kind: 'heading', text: name, level: 1 }, ...tables);
  }
  const warnings = hidden.length > 0 ? [`hidden sheets are read: ${hidden.join(', ')}`] : [];
  return { title: await readCoreTitle(archive), blocks, warnings };
}

interface Sheet {
  readonly id: string;
  readonly name: string;
  readonly isHidden: boolean;
}

async function readWorkbook(
  archive: Archive,
  main: string,
): Promise<{ readonly sheets: readonly Sheet[]; readonly since1904: boolean }> {
  const sheets: Sheet[] = [];
  let since1904 = false;
  await readXml(archive.pieces(main), {
    open(element, attributes) {
      const { name = '', state = 'visible', date1904 = '0' } = attributes;
      if (element === 'sheet')
        sheets.push({ id: attributes['r:id'] ?? '', name: cleanLine(name), isHidden: state !== 'visible' });
      else if (element === 'workbookPr') since1904 = date1904 === '1' || date1904 === 'true';
    },
  });
  return { sheets, since1904 };
}

/** Texts that cells refer to by number. */
async function readStrings(archive: Archive, part: string | undefined): Promise<string[]> {
  const strings: string[] = [];
  let text = '';
  let isText = false;
  let isReading = false; // how a text is pronounced, which stands beside it
  if (part === undefined || !archive.has(part)) return strings;
  await readXml(archive.pieces(part), {
    open(name) {
      if (name === 'si') text = '';
      else if (name === 'rPh') isReading = true;
      else if (name === 't') isText = !isReading;
    },
    close(name) {
      if (name === 'si') strings.push(text);
      else if (name === 'rPh') isReading = false;
      else if (name === 't') isText = false;
    },
    text: (piece) => (text += isText ? piece : ''),
  });
  return strings;
}

const readKinds = async (archive: Archive, part: string | undefined): Promise<NumberKind[]> =>
  part === undefined || !archive.has(part) ? [] : readNumberKinds(archive.pieces(part));
