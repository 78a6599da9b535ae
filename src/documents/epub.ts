import { posix } from 'node:path';
import { RagError } from '../errors.ts';
import type { Archive } from './archive.ts';
import { type Block, firstHeading, type ParsedText } from './block.ts';
import { cleanText } from './clean.ts';
import { decodeText } from './decode.ts';
import { parseHtml } from './html.ts';
import { readXml } from './xml.ts';

/** E-books: the pages of the spine in its order, without the navigation, which repeats the headings. @throws bad-document */
export async function parseEpub(archive: Archive): Promise<ParsedText> {
  await refuseEncrypted(archive);
  const book = await readPackage(archive, await findPackage(archive));
  const blocks: Block[] = [];
  for (const part of book.spine) {
    const decoded = decodeText(await readWhole(archive.pieces(part)));
    if (decoded === undefined) continue;
    for (const block of parseHtml(cleanText(decoded.text), 'xhtml').blocks) blocks.push(block);
  }
  return { title: book.title ?? firstHeading(blocks), blocks };
}

async function readWhole(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const whole: Buffer[] = [];
  for await (const piece of pieces) whole.push(piece);
  return Buffer.concat(whole);
}

async function findPackage(archive: Archive): Promise<string> {
  let path: string | undefined;
  await readXml(archive.pieces('META-INF/container.xml'), {
    open: (name, attributes) => void (name === 'rootfile' && (path ??= attributes['full-path'])),
  });
  if (path === undefined) throw new RagError('bad-document', 'it is damaged: it does not name its contents');
  return path;
}

interface Package {
  readonly title: string | undefined;
  /** Names of parts. */
  readonly spine: readonly string[];
}

async function readPackage(archive: Archive, path: string): Promise<Package> {
  const items = new Map<string, string>();
  const spine: string[] = [];
  let title = '';
  let isTitle = false;
  await readXml(archive.pieces(path), {
    open(name, { id = '', idref = '', href = '', properties = '', 'media-type': type = '' }) {
      if (name === 'dc:title') isTitle = title === '';
      else if (name === 'item' && /html/u.test(type) && !properties.split(' ').includes('nav'))
        items.set(id, posix.join(posix.dirname(path), decoded(href)));
      else if (name === 'itemref') spine.push(items.get(idref) ?? '');
    },
    close: (name) => void (isTitle &&= name !== 'dc:title'),
    text: (text) => void (title += isTitle ? text : ''),
  });
  // A page that is named twice is read once.
  const parts = [...new Set(spine)].filter((part) => archive.has(part));
  return { title: title.trim() || undefined, spine: parts };
}

/** References to parts are written as in a URL. */
function decoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}

/** Fonts may be scrambled, which is called encryption too. */
async function refuseEncrypted(archive: Archive): Promise<void> {
  const list = 'META-INF/encryption.xml';
  if (!archive.has(list)) return;
  await readXml(archive.pieces(list), {
    open(name, { URI: part = '' }) {
      if (name.endsWith('CipherReference') && /html?$/iu.test(part))
        throw new RagError('bad-document', 'the book is encrypted (DRM)');
    },
  });
}
