import { isUtf8 } from 'node:buffer';

/** How far to look for a declared encoding and for bytes that no text holds. */
const headBytes = 4096;

/**
 * The text of a file of unknown encoding, or undefined where the bytes are no text. A byte order mark decides,
 * then UTF-8 if all of it is valid, then what an HTML page declares, then Windows-1252 (Latin-1's printable
 * superset), in which every byte means something: old files lose at worst a few letters, never themselves.
 */
export function decodeText(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (looksBinary(bytes.subarray(0, headBytes))) return undefined;
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return decodeDeclared(bytes);
}

/** One NUL or escape in a log is dirt; one byte in fifty is another kind of file. */
function looksBinary(head: Buffer): boolean {
  let strange = 0;
  for (const byte of head) {
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) strange++;
  }
  return strange * 50 > head.length;
}

function decodeDeclared(bytes: Buffer): string {
  const label = /charset\s*=\s*["']?([\w-]+)/iu.exec(bytes.subarray(0, headBytes).toString('latin1'))?.[1];
  // UTF-8 was just found to be untrue.
  if (label !== undefined && !/^utf-?8$/iu.test(label)) {
    try {
      return new TextDecoder(label).decode(bytes);
    } catch {
      // An unknown name.
    }
  }
  return new TextDecoder('windows-1252').decode(bytes);
}
