import { readLine, type LineName, type Told } from './ollama-lines.ts';

/** Questions about a log of `ollama serve`, newest line last. The words stand in the table of `ollama-lines.ts`. Pure. */

const allTold = (lines: readonly string[], ...names: readonly LineName[]): Told[] =>
  lines.flatMap((line) => readLine(line) ?? []).filter(({ name }) => names.includes(name));

/** Another process has the port. All errors of a start exit with 1, so that only the text tells. */
export const isPortTaken = (lines: readonly string[]): boolean => allTold(lines, 'port-taken').length > 0;

export const isUnknownFlag = (lines: readonly string[]): boolean => allTold(lines, 'unknown-flag').length > 0;

/** It said what it found, and that was no GPU. */
export const sawOnlyCpu = (lines: readonly string[]): boolean =>
  allTold(lines, 'no-gpu').length > 0 && allTold(lines, 'compute-device').length === 0;

/** The newest `offloaded n/m layers to GPU`; null where this version has no such line. */
export function offloadedLayers(
  lines: readonly string[],
): { readonly offloaded: number; readonly of: number } | null {
  const newest = allTold(lines, 'offload').at(-1);
  return newest === undefined
    ? null
    : { offloaded: Number(newest.facts['gpuLayers']), of: Number(newest.facts['allLayers']) };
}

const memoryWords =
  /cudaMalloc failed|out of memory|runtime OOM detected|model requires more system memory|failed to allocate/i;

/** Of the text of an error answer as well, which quotes the runner's last words. */
export const isOutOfMemory = (text: string): boolean => memoryWords.test(text);

const crashes: readonly LineName[] = [
  'load-failed',
  'runner-killed',
  'runner-died',
  'runner-gone',
  'out-of-memory',
  'last-words',
];

/** The newest line that tells of a runner's death. */
export const lastCrash = (lines: readonly string[]): string | undefined =>
  lines.findLast((line) => {
    const told = readLine(line);
    return told !== undefined && crashes.includes(told.name);
  });
