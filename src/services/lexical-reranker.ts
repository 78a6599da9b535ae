/**
 * A reranker child without a model. Frames are lines of JSON: `{ready, kind, devices}` first, then for each
 * `{id, op: 'rerank', query, passages}` one `{id, scores}` or `{id, error: {code, message}}`, and for each `{op: 'ping'}` one
 * `{pong: true}`. The end of stdin ends it.
 */
import { createInterface } from 'node:readline';
import { messageOf } from '../errors.ts';
import { lexicalScores } from './lexical-scores.ts';
import { leaveWithParent } from './leave-with-parent.ts';

const send = (frame: unknown): void => void process.stdout.write(`${JSON.stringify(frame)}\n`);

function answer(line: string): unknown {
  let id: unknown = null;
  try {
    const frame = JSON.parse(line) as { id: unknown; op: unknown; query: unknown; passages: unknown };
    id = frame.id;
    if (frame.op === 'ping') return { pong: true };
    if (frame.op !== 'rerank') throw new Error('unknown op, "rerank" or "ping" is wanted');
    if (typeof frame.query !== 'string' || !Array.isArray(frame.passages)) {
      throw new Error('a query and a list of passages are wanted');
    }
    return { id, scores: lexicalScores(frame.query, frame.passages.map(String)) };
  } catch (error) {
    return { id, error: { code: 'bad-request', message: messageOf(error) } };
  }
}

leaveWithParent();
createInterface({ input: process.stdin }).on('line', (line) => send(answer(line)));
send({ ready: true, kind: 'lexical', devices: process.env['CUDA_VISIBLE_DEVICES'] ?? '' });
