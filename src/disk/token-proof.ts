import { createHmac } from 'node:crypto';

/**
 * What only who can read a token can say, of a question that is asked once. The address is where it is answered, so that
 * another program cannot pass the question on to the right one and the answer back.
 *
 * @param address `HOST:PORT`, the host as a number
 */
export const proofOf = (token: string, nonce: string, address: string): string =>
  createHmac('sha256', token).update(`rag-allinone ${address} ${nonce}`).digest('hex');
