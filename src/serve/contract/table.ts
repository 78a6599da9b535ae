/** Every route that the endpoint has. A test holds that none is missing and none too many. */
import { documentRoutes } from './documents.ts';
import { jobRoutes } from './job.ts';
import { ollamaRoutes } from './ollama.ts';
import { retrievalRoutes } from './retrieval.ts';
import type { RouteContract, Who } from './route.ts';

export const routes: readonly RouteContract[] = [
  ...retrievalRoutes,
  ...documentRoutes,
  ...ollamaRoutes,
  ...jobRoutes,
];

/** `:id` is one part of a path, `*` its rest. */
function patternOf(path: string): RegExp {
  const parts = path
    .split('/')
    .map((part) =>
      part.startsWith(':') ? '[^/]+' : part === '*' ? '.+' : part.replaceAll('.', String.raw`\.`),
    );
  return new RegExp(`^${parts.join('/')}$`, 'u');
}

const patterns = routes.map((route) => ({ route, pattern: patternOf(route.path) }));

/**
 * Who may ask this. A path that only another spelling makes a route (`/%73tatus`) is none here: it is for the owner.
 *
 * @param url of the request, without a token; with or without a query
 */
export function whoMay(method: string, url: string): Who {
  const path = url.split('?', 1)[0] ?? '';
  const asked = method === 'HEAD' ? 'GET' : method;
  const found = patterns.find(
    ({ route, pattern }) => (route.method === asked || route.anyMethod === true) && pattern.test(path),
  );
  return found?.route.who ?? 'everything';
}
