/** The published service as a shell takes it: `eval "$(... status --env)"`. */
import { readToken } from '../../disk/read-token.ts';
import { RagError } from '../../errors.ts';
import { findService, type FoundService, type Wanted } from '../../services/find-service.ts';
import { pause } from '../../supervise/pause.ts';

const lookEveryMs = 1000;

/**
 * @param waitMs a service that loads a large model takes minutes to publish
 * @throws preflight when there is none until then
 */
export async function untilService(
  wanted: Wanted,
  waitMs: number,
  signal: AbortSignal,
): Promise<FoundService> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      return await findService(wanted, signal);
    } catch (error) {
      if (performance.now() + lookEveryMs > deadline) throw error;
    }
    if ((await pause(lookEveryMs, signal)) === 'aborted')
      throw new RagError('aborted', 'Cannot wait for a published service: the wait was cancelled');
  }
}

/**
 * Lines of `export`. Search-R1 cannot send a header: its address carries the token that opens models and retrieval only.
 * So these lines are for `eval` and not for a log.
 */
export async function exportLines({ url, tokenFile, urlTokenFile }: FoundService): Promise<string[]> {
  const urlToken = urlTokenFile === undefined ? undefined : await readToken(urlTokenFile);
  const open = urlToken === undefined ? url : `${url}/t/${urlToken}`;
  const values: readonly (readonly [string, string | undefined])[] = [
    ['RAG_URL', url],
    ['RAG_RETRIEVER_URL', `${open}/retrieve`],
    ['OLLAMA_HOST', open],
    ['RAG_TOKEN_FILE', tokenFile],
  ];
  return values.flatMap(([name, value]) =>
    value === undefined ? [] : [`export ${name}='${value.replaceAll("'", `'\\''`)}'`],
  );
}
