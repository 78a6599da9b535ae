import { RagError } from '../errors.ts';
import { type Archive, openArchive } from './archive.ts';
import type { ParsedText } from './block.ts';
import { readXml } from './xml.ts';

/** Reads a document that is an archive. What kind of document is said inside, not by its name. @throws bad-document */
export async function parseArchive(bytes: Buffer): Promise<ParsedText> {
  const archive = await openArchive(bytes);
  const parsed = await parseKind(archive);
  const hasPictures = archive.names.some((name) => picture.test(name) && !/thumbnail/iu.test(name));
  return { ...parsed, hasPictures };
}

const picture = /\.(?:png|jpe?g|tiff?|gif|bmp|webp|svg|emf|wmf)$/iu;

async function parseKind(archive: Archive): Promise<ParsedText> {
  const mime = archive.has('mimetype') ? await readMime(archive) : '';
  if (mime === 'application/epub+zip' || (mime === '' && archive.has('META-INF/container.xml')))
    return (await import('./epub.ts')).parseEpub(archive);
  if (mime.startsWith('application/vnd.oasis.opendocument.'))
    return (await import('./odf.ts')).parseOdf(archive, mime.split('.').at(-1) ?? '');
  const office = await findOfficePart(archive);
  if (office === undefined) {
    throw new RagError('bad-document', 'it is an archive, not a document: unpack it and name the folder');
  }
  return readers[office.kind](archive, office.part);
}

const readers = {
  word: async (archive: Archive, part: string) => (await import('./docx.ts')).parseDocx(archive, part),
  powerpoint: async (archive: Archive, part: string) => (await import('./pptx.ts')).parsePptx(archive, part),
  excel: async (archive: Archive, part: string) => (await import('./xlsx.ts')).parseXlsx(archive, part),
};

const longestMime = 100;

async function readMime(archive: Archive): Promise<string> {
  for await (const piece of archive.pieces('mimetype'))
    return piece.subarray(0, longestMime).toString('latin1').trim();
  return '';
}

interface OfficePart {
  readonly kind: keyof typeof readers;
  readonly part: string;
}

/** Names of the main parts in files whose list of contents does not tell. */
const usual: readonly OfficePart[] = [
  { kind: 'word', part: 'word/document.xml' },
  { kind: 'powerpoint', part: 'ppt/presentation.xml' },
  { kind: 'excel', part: 'xl/workbook.xml' },
];

async function findOfficePart(archive: Archive): Promise<OfficePart | undefined> {
  const list = '[Content_Types].xml';
  let found: OfficePart | undefined;
  if (!archive.has(list)) return undefined;
  await readXml(archive.pieces(list), {
    open: (_, { PartName: name = '', ContentType: type = '' }) => {
      const kind = /^application\/vnd\.(.*)\.main\+xml$/u.test(type) ? kindOf(type) : undefined;
      const part = name.replace(/^\//u, '');
      if (kind !== undefined && archive.has(part)) found ??= { kind, part };
    },
  });
  return found ?? usual.find(({ part }) => archive.has(part));
}

/** Documents, templates, shows; with macros or without. */
function kindOf(type: string): OfficePart['kind'] | undefined {
  if (/wordprocessingml|ms-word/u.test(type)) return 'word';
  if (/presentationml|ms-powerpoint/u.test(type)) return 'powerpoint';
  return /spreadsheetml|ms-excel/u.test(type) ? 'excel' : undefined;
}
