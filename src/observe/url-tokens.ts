/**
 * An address with a token in it, as it may be shown and written down: `http://node17:4000/t/...`. A token has 43
 * characters (256 bits as base64url), so that a folder named `t` stays what it is.
 */
export const withoutUrlTokens = (text: string): string => text.replace(/\/t\/[\w-]{43}(?![\w-])/g, '/t/...');
