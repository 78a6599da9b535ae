import { RagError } from '../errors.ts';

/** ZIP, also when it is empty: what documents have come in since 2003. */
export const isArchive = (bytes: Buffer): boolean =>
  /^504b(?:0304|0506)$/u.test(bytes.subarray(0, 4).toString('hex'));

/** The container of Office up to 2003, and of later documents that are encrypted. */
export const isOle = (bytes: Buffer): boolean =>
  bytes.subarray(0, 8).equals(Buffer.from('d0cf11e0a1b11ae1', 'hex'));

/** By the names of what it holds, which stand in its directory in UTF-16. */
const kinds = [
  ['EncryptedPackage', 'the document is encrypted, it needs a password'],
  ['WordDocument', 'DOC, of Word up to 2003, is not supported: save it as DOCX'],
  ['PowerPoint Document', 'PPT, of PowerPoint up to 2003, is not supported: save it as PPTX'],
  ['Workbook', 'XLS, of Excel up to 2003, is not supported: save it as XLSX'],
  ['Book', 'XLS, of Excel up to 2003, is not supported: save it as XLSX'],
] as const;

export function refuseOle(bytes: Buffer): RagError {
  const found = kinds.find(([name]) => bytes.includes(Buffer.from(`${name}\0`, 'utf16le')));
  return new RagError('bad-document', found?.[1] ?? 'a document of Office up to 2003 is not supported');
}
