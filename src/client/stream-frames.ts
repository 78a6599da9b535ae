/**
 * Bytes through a pipe that passes on whole lines only, as srun does with what a step prints: each piece goes with its
 * length in front and a line feed behind.
 */
import { Transform } from 'node:stream';

const headBytes = 4;
const end = Buffer.from('\n');

/** One write a piece: what follows it must not wait for more. */
export const frameStream = (): Transform =>
  new Transform({
    transform(piece: Buffer, _encoding, done) {
      const head = Buffer.alloc(headBytes);
      head.writeUInt32BE(piece.length);
      done(null, Buffer.concat([head, piece, end]));
    },
  });

/** Longer than anything that is written in one piece: whatever says more is no frame. */
const longest = 64 * 2 ** 20;

/** @param holdBytes how much is taken before anybody reads it */
export function unframeStream(holdBytes?: number): Transform {
  let rest: Buffer = Buffer.alloc(0);
  return new Transform({
    ...(holdBytes !== undefined && { readableHighWaterMark: holdBytes }),
    transform(piece: Buffer, _encoding, done) {
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      while (rest.length >= headBytes) {
        const length = rest.readUInt32BE(0);
        const next = headBytes + length + end.length;
        if (length > longest) return done(new Error('what came is none of its frames'));
        if (rest.length < next) break;
        this.push(rest.subarray(headBytes, headBytes + length));
        rest = rest.subarray(next);
      }
      done();
    },
  });
}
