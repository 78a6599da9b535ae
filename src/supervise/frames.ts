import { messageOf } from '../errors.ts';

/** A frame is one line of JSON. 64 MiB hold a batch of scores or vectors; more is a child that lost its mind. */
const maxFrameBytes: number = 64 * 1024 * 1024;

/**
 * Cuts a stream of bytes into frames. What is not a frame goes to `onNonsense` as an explanation and is
 * skipped: a library that prints to stdout must not end the service.
 */
export function makeFrameReader(
  onFrame: (frame: unknown) => void,
  onNonsense: (reason: string) => void,
  maxBytes: number = maxFrameBytes,
): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  let bytes = 0;

  const add = (piece: Buffer): void => {
    bytes += piece.length;
    if (bytes > maxBytes) pieces = [];
    else pieces.push(piece);
  };
  const finish = (): void => {
    const [line, size] = [Buffer.concat(pieces), bytes];
    [pieces, bytes] = [[], 0];
    if (size > maxBytes) onNonsense(`a line of ${size} bytes, at most ${maxBytes} are read`);
    else if (size > 0) parse(line.toString('utf8'), onFrame, onNonsense);
  };

  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end));
      finish();
      start = end + 1;
    }
    add(chunk.subarray(start));
  };
}

function parse(line: string, onFrame: (frame: unknown) => void, onNonsense: (reason: string) => void): void {
  let frame: unknown;
  try {
    frame = JSON.parse(line);
  } catch (error) {
    onNonsense(`${messageOf(error)}: ${line.slice(0, 200)}`);
    return;
  }
  onFrame(frame);
}
