/** The parts of the dashboard that a browser loads: what is in this list, as the last build made it, and nothing else. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PageParts } from '../../page/document.ts';
import { style } from '../../page/style/sheet.ts';

/** Everything that `browser/main` imports, below `page/`; a test compares. */
export const pageModules = [
  'browser/main',
  'browser/dom',
  'browser/endpoint',
  'browser/live',
  'browser/own-token',
  'browser/reader',
  'activity',
  'amounts',
  'answer',
  'ask',
  'asking',
  'body',
  'chart',
  'connection',
  'dashboard',
  'failures',
  'gpus',
  'head',
  'ingest',
  'scale',
  'services',
  'timeline',
  'token',
  'tree',
  'words',
] as const;

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

export interface PageFiles {
  readonly parts: PageParts;
  /** @param path as a browser asks for it. Undefined: there is no such file. */
  readonly find: (path: string) => PageFile | undefined;
}

/** Open to everybody: the same for every job of this version, and nothing of a job is in it. */
export const pagePath = '/page/';

/** Running from source there is only what the last build made. */
const builtFolder = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/page/' : '../../page/',
  import.meta.url,
);

/**
 * Read when first asked for, and kept. The folder in their addresses is a digest of them all, so that a browser may keep
 * them for ever and never mixes those of two versions behind one port.
 */
export function makePageFiles(folder = builtFolder): () => PageFiles {
  let files: PageFiles | undefined;
  return () => (files ??= readPageFiles(folder));
}

function readPageFiles(folder: URL): PageFiles {
  const texts = new Map<string, PageFile>([['style.css', { type: 'text/css; charset=utf-8', text: style }]]);
  for (const name of pageModules)
    texts.set(`${name}.js`, {
      type: 'text/javascript; charset=utf-8',
      text: readFileSync(new URL(`${name}.js`, folder), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''),
    });
  const digest = createHash('sha256');
  for (const [name, { text }] of texts) digest.update(`${name}\0${text}\0`);
  const base = `${pagePath}${digest.digest('hex').slice(0, 16)}/`;
  return {
    parts: {
      style: `${base}style.css`,
      main: `${base}browser/main.js`,
      modules: pageModules.map((name) => `${base}${name}.js`),
    },
    find: (path) => (path.startsWith(base) ? texts.get(path.slice(base.length)) : undefined),
  };
}
