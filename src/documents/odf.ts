import { RagError } from '../errors.ts';
import type { Archive } from './archive.ts';
import { firstHeading, type ParsedText } from './block.ts';
import { parseOdfSheets } from './odf-sheets.ts';
import { parseOdfText } from './odf-text.ts';
import { titleOrNone } from './ooxml.ts';
import { readXml } from './xml.ts';

/** OpenDocument: texts, presentations and drawings, spreadsheets. @throws bad-document */
export async function parseOdf(archive: Archive, kind: string): Promise<ParsedText> {
  if (await isEncrypted(archive))
    throw new RagError('bad-document', 'the document is encrypted, it needs a password');
  if (kind.startsWith('spreadsheet'))
    return { title: await readTitle(archive), ...(await parseOdfSheets(archive)) };
  const { blocks, warnings } = await parseOdfText(archive);
  return { title: (await readTitle(archive)) ?? firstHeading(blocks), blocks, warnings };
}

async function isEncrypted(archive: Archive): Promise<boolean> {
  const list = 'META-INF/manifest.xml';
  let isFound = false;
  if (!archive.has(list)) return false;
  await readXml(archive.pieces(list), {
    open: (name) => void (isFound ||= name === 'manifest:encryption-data'),
  });
  return isFound;
}

async function readTitle(archive: Archive): Promise<string | undefined> {
  let title = '';
  let isInside = false;
  if (!archive.has('meta.xml')) return undefined;
  await readXml(archive.pieces('meta.xml'), {
    open: (name) => void (isInside ||= name === 'dc:title'),
    close: (name) => void (isInside &&= name !== 'dc:title'),
    text: (text) => void (title += isInside ? text : ''),
  });
  return titleOrNone(title);
}
