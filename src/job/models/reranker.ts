/** What reranks in this run: children of its own, a server that runs elsewhere, or nothing. */
import { readFile } from 'node:fs/promises';
import type { Settings } from '../../config/settings.ts';
import { messageOf, RagError } from '../../errors.ts';
import { makeRerank } from '../../models/rerank.ts';
import { openRerankServer, type RerankServer } from '../../models/rerank-server.ts';
import { makeSidecars } from '../../models/sidecar.ts';
import type { Rerank } from '../../models/types.ts';
import type { Log } from '../../observe/log.ts';
import type { Plan } from '../../plan/types.ts';
import type { Tree } from '../../supervise/spec.ts';
import { readyChildren } from '../services/ready-children.ts';

export interface OpenReranker extends AsyncDisposable {
  /** Undefined when the job has no reranker. */
  readonly rerank: Rerank | undefined;
}

export interface RerankerInput {
  readonly plan: Plan;
  readonly settings: Settings;
  readonly tree: Tree;
  readonly log: Log;
}

export async function openReranker({ plan, settings, tree, log }: RerankerInput): Promise<OpenReranker> {
  if (plan.reranker === 'http') {
    const server = await openServer(settings);
    return { ...server, rerank: telling(server.rerank, log) };
  }
  const ids = plan.instances.filter(({ role }) => role === 'rerank').map(({ id }) => id);
  const rerank = ids.length === 0 ? undefined : makeRerank(makeSidecars(readyChildren(tree, ids)));
  return { rerank: rerank && telling(rerank, log), [Symbol.asyncDispose]: async () => {} };
}

/** Who waits for thousands of answers need not read it thousands of times. */
const warnEveryMs = 60_000;

/** An answer that was not reranked says so; why stands in the log. */
function telling(rerank: Rerank, log: Log): Rerank {
  let toldAt = -Infinity;
  return async (request) => {
    try {
      return await rerank(request);
    } catch (error) {
      const now = performance.now();
      if (!request.signal.aborted && now - toldAt > warnEveryMs) {
        toldAt = now;
        log('warn', `answers are not reranked: ${messageOf(error)}`);
      }
      throw error;
    }
  };
}

/** @throws preflight when the key cannot be read */
export async function openServer(
  settings: Pick<Settings, 'RERANKER_URL' | 'RERANKER_MODEL' | 'RERANKER_KEY_FILE'>,
): Promise<RerankServer> {
  const { RERANKER_URL: url = '', RERANKER_MODEL: model, RERANKER_KEY_FILE: file } = settings;
  return openRerankServer({ url, model, key: file === undefined ? undefined : await readKey(file) });
}

async function readKey(file: string): Promise<string> {
  const hint = `printf '%s\\n' KEY > ${file}; chmod 600 ${file}`;
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new RagError(
      'preflight',
      `Cannot read RERANKER_KEY_FILE=${file}: ${messageOf(cause)}, a file with the key is wanted`,
      { hint, cause },
    );
  });
  const key = text.trim();
  // What is no key would end in a header, where it does not belong.
  if (/^[!-~]+$/u.test(key)) return key;
  throw new RagError('preflight', `Cannot use RERANKER_KEY_FILE=${file}: it is no key, one line is wanted`, {
    hint,
  });
}
