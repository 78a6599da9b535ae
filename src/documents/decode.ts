import { isUtf8 } from 'node:buffer';

/** How far to look for a declared encoding and for bytes that no text holds. */
const headBytes = 4096;

export interface Decoded {
  readonly text: string;
  /** When the encoding was guessed: letters may be wrong. */
  readonly warning?: string;
}

/**
 * The text of a file of unknown encoding, or undefined where the bytes are no text. A byte order mark decides,
 * then UTF-8 if all of it is valid, then what an HTML page declares, then Windows-1252 (Latin-1's printable
 * superset), in which every byte means something: old files lose at worst a few letters, never themselves.
 */
export function decodeText(bytes: Buffer): Decoded | undefined {
  const mark = bytes.subarray(0, 4).toString('hex');
  // That of UTF-32 begins like that of UTF-16.
  if (mark === 'fffe0000') return { text: decodeUtf32(bytes, 'LE') };
  if (mark === '0000feff') return { text: decodeUtf32(bytes, 'BE') };
  if (mark.startsWith('fffe')) return { text: new TextDecoder('utf-16le').decode(bytes) };
  if (mark.startsWith('feff')) return { text: new TextDecoder('utf-16be').decode(bytes) };
  const head = bytes.subarray(0, headBytes);
  const unmarked = unmarkedUtf16(head);
  if (unmarked !== undefined) return { text: new TextDecoder(unmarked).decode(bytes) };
  if (looksBinary(head)) return undefined;
  if (isUtf8(bytes)) return { text: bytes.toString('utf8') };
  return decodeDeclared(bytes);
}

/** Node has no decoder for it. What is no character becomes U+FFFD, and so does half of one at the end. */
function decodeUtf32(bytes: Buffer, order: 'LE' | 'BE'): string {
  const parts: string[] = [];
  for (let at = 4; at + 4 <= bytes.length; at += 4) {
    const code = order === 'LE' ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    parts.push(code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code));
  }
  return parts.join('').toWellFormed();
}

/** Half of its bytes are NUL, always the same half, where the text is in Latin letters. */
function unmarkedUtf16(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head.length < 8 || !head.includes(0)) return undefined;
  const zeros = [0, 0];
  for (const [at, byte] of head.entries()) if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const most = head.length * 0.3;
  if (odd > most && even * 20 < odd) return 'utf-16le';
  return even > most && odd * 20 < even ? 'utf-16be' : undefined;
}

/** One NUL or escape in a log is dirt; one byte in fifty is another kind of file. */
function looksBinary(head: Buffer): boolean {
  let strange = 0;
  for (let at = 0; at < head.length; at++) {
    const byte = head[at] ?? 0;
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) strange++;
  }
  return strange * 50 > head.length;
}

function decodeDeclared(bytes: Buffer): Decoded {
  const label = /charset\s*=\s*["']?([\w-]+)/iu.exec(bytes.subarray(0, headBytes).toString('latin1'))?.[1];
  // UTF-8 was just found to be untrue.
  if (label !== undefined && !/^utf-?8$/iu.test(label)) {
    try {
      return { text: new TextDecoder(label).decode(bytes) };
    } catch {
      // An unknown name.
    }
  }
  const warning = 'it is not UTF-8 and was read as Windows-1252: letters may be wrong';
  return { text: new TextDecoder('windows-1252').decode(bytes), warning };
}
