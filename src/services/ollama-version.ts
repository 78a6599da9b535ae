/**
 * Up to 0.24 Ollama's own program runs the model and calls itself "llama runner"; from 0.30 that is upstream's
 * "llama-server", with other words in the log and other statuses. There is no release between the two. Pure.
 */
export type Era = 'llama runner' | 'llama-server';

type Numbers = readonly [major: number, minor: number, patch: number];

/** "0.33.0-rc2" as numbers. Null for what is no release: "unknown", and "0.0.0", which a build of one's own says. */
function readVersion(version: string): Numbers | null {
  const found = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (found === null || found[0].endsWith('0.0.0')) return null;
  return [Number(found[1]), Number(found[2]), Number(found[3])];
}

const isBefore = ([major, minor]: Numbers, before: number): boolean => major === 0 && minor < before;

/** @param version as `/api/version` says it. Null: unknown; then the words of both are to be expected. */
export function eraOf(version: string): Era | null {
  const numbers = readVersion(version);
  if (numbers === null) return null;
  return isBefore(numbers, 30) ? 'llama runner' : 'llama-server';
}

/**
 * Before 0.13 `/api/chat` does not know `truncate` and `shift` and drops the front of a prompt that is too long, with
 * status 200. Prompts are sized by an estimate, so that one may be.
 */
export function promptWarning(version: string): string | null {
  const numbers = readVersion(version);
  if (numbers === null || !isBefore(numbers, 13)) return null;
  return `Ollama ${version} cuts off the beginning of a prompt that is too long without a word; 0.13 or newer refuses it`;
}
