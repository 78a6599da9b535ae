/** What both ends of a tunnel know. */

/** The first line: whatever a site prints before it is none of ours. */
export const greeting = 'rag-allinone relay 1';

/** A step's answer takes 25 to 50 ms: the default of 64 KiB would let 2 MB through in a second. */
const windowBytes = 2 ** 20;

/** What nobody reads is held here, a window for each connection: above the default of 10 MB all of them would stop. */
export const sessionOptions = {
  settings: { initialWindowSize: windowBytes },
  maxSessionMemory: 128,
} as const;

/** For all connections together. */
export const wholeWindowBytes: number = 16 * windowBytes;

/**
 * A session does not read while it cannot write, so that two whose pipes are full would wait for each other. So all that the
 * windows let come is taken from the pipe at once.
 */
export const pipeBytes: number = 2 * wholeWindowBytes;
