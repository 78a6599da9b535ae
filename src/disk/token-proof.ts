import { createHmac } from 'node:crypto';

/**
 * What only who can read a token can say, of a question that is asked once. The address is where it is answered, so that
 * another program cannot pass the question on to the right one and the answer back.
 *
 * @param address see `nameOfEnd`
 */
export const proofOf = (token: string, nonce: string, address: string): string =>
  createHmac('sha256', token).update(`rag-allinone ${address} ${nonce}`).digest('hex');

/** One end of a connection as both sides name it, whatever kind of socket each has: `10.0.0.5:80`, `[::1]:80`. */
export function nameOfEnd(address: string, port: number): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return `${plain.includes(':') ? `[${plain}]` : plain}:${port}`;
}
