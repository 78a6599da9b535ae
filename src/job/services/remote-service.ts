/** The service that OLLAMA_HOST names, found and asked before anything starts. */
import type { Settings } from '../../config/settings.ts';
import { request } from 'undici';
import { messageOf, RagError } from '../../errors.ts';
import { withoutUrlTokens } from '../../observe/url-tokens.ts';
import { findService, type FoundService } from '../../services/find-service.ts';

/**
 * @param folder where a service is published
 * @param node this node, by Slurm's name
 * @returns undefined when the job starts its own servers
 * @throws preflight when the published one is not there; settings for what is no address
 */
export async function remoteService(
  { OLLAMA_HOST: host }: Pick<Settings, 'OLLAMA_HOST'>,
  { folder, node }: { readonly folder: string; readonly node: string },
  signal: AbortSignal,
): Promise<FoundService | undefined> {
  if (host === undefined) return undefined;
  if (host === 'published') return findService({ folder, node }, signal);
  const url = readAddress(host);
  return { url, tokenFile: undefined, name: withoutUrlTokens(url) };
}

/** Something that answers at all says so within milliseconds. */
const answerMs = 5000;

/**
 * Whether anything is at an address that somebody named. A service that was published is asked for its proof, and a job of
 * Slurm waits for its own: it may begin later.
 *
 * @throws preflight
 */
export async function checkAddress(
  { url, tokenFile, name }: FoundService,
  signal: AbortSignal,
  boundMs: number = answerMs,
): Promise<void> {
  if (tokenFile !== undefined) return;
  const stop = AbortSignal.any([signal, AbortSignal.timeout(boundMs)]);
  try {
    const { body } = await request(`${url}/api/version`, { signal: stop });
    await body.dump();
  } catch (cause) {
    signal.throwIfAborted();
    const why = stop.aborted ? `it is silent for ${boundMs / 1000} s` : messageOf(cause);
    throw new RagError(
      'preflight',
      `Cannot use OLLAMA_HOST=${name}: nothing answers there (${why}), a service that runs is wanted`,
      { hint: `unset OLLAMA_HOST   # or start it: curl ${withoutUrlTokens(url)}/api/version`, cause },
    );
  }
}

/** As Ollama's own tools read it: a scheme and a port may be missing. @throws settings */
export function readAddress(text: string): string {
  const whole = /^https?:\/\//.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined || url.hostname === '')
    throw new RagError(
      'settings',
      `Cannot use OLLAMA_HOST=${withoutUrlTokens(text)}: it is no address, HOST:PORT is wanted`,
      {
        hint: 'OLLAMA_HOST=node17:11434   # or OLLAMA_HOST=published',
      },
    );
  const hasPort = /:\d+(\/|$)/.test(whole.replace(/^https?:\/\//, '').replace(/^\[[^\]]*\]/, ''));
  if (!hasPort && url.protocol === 'http:') url.port = '11434';
  return url.href.replace(/\/$/, '');
}
