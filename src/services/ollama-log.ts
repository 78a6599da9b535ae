/**
 * What the log of `ollama serve` says, in the words of both eras: up to 0.24 the runner is "llama runner",
 * from 0.30 "llama-server". Pure; newest line last.
 */

/** Another process has the port. All errors of a start exit with 1, so that only the text tells. */
export const isPortTaken = (lines: readonly string[]): boolean =>
  lines.some((line) => /bind: address already in use/.test(line));

export const isUnknownFlag = (lines: readonly string[]): boolean =>
  lines.some((line) => /^Error: unknown (flag|shorthand flag|command)/.test(line));

/** Compute devices that the server found; `library` is `cpu` when it found no GPU. */
export function computeDevices(
  lines: readonly string[],
): readonly { readonly id: string; readonly library: string }[] {
  return lines.flatMap((line) => {
    const found = /msg="inference compute" id=(\S+)(?: filter_id=(\S*))? library=(\S+)/.exec(line);
    return found === null
      ? []
      : [{ id: found[2] || (found[1] ?? ''), library: (found[3] ?? '').toLowerCase() }];
  });
}

export const sawOnlyCpu = (lines: readonly string[]): boolean => {
  const devices = computeDevices(lines);
  return devices.length > 0 && devices.every(({ library }) => library === 'cpu');
};

/** The newest `offloaded n/m layers to GPU`; null where this version has no such line. */
export function offloadedLayers(
  lines: readonly string[],
): { readonly offloaded: number; readonly of: number } | null {
  const found = /offloaded (\d+)\/(\d+) layers to GPU/.exec(
    lines.findLast((line) => /layers to GPU/.test(line)) ?? '',
  );
  return found === null ? null : { offloaded: Number(found[1]), of: Number(found[2]) };
}

const memoryWords =
  /cudaMalloc failed|out of memory|runtime OOM detected|model requires more system memory|failed to allocate/i;

export const isOutOfMemory = (text: string): boolean => memoryWords.test(text);

const crashWords =
  /msg="(?:llama runner|llama-server) terminated"|process (?:has terminated|no longer running)|CUDA error|GGML_ASSERT|^panic:|fatal error:/;

/** The newest line that tells of a runner's death. */
export const lastCrash = (lines: readonly string[]): string | undefined =>
  lines.findLast((line) => crashWords.test(line));
