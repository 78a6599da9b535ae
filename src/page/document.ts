/** Whole documents, made of a tree and of nothing that came from outside the program. */
import { dashboardView, type Shown } from './dashboard.ts';
import { escaped, toHtml } from './html.ts';
import type { TreeElement } from './tree.ts';

/** Where the browser finds the parts of the page: all below one folder that changes with them, so they may be kept for ever. */
export interface PageParts {
  readonly style: string;
  readonly main: string;
  readonly modules: readonly string[];
}

/** A mark, so that nobody asks for /favicon.ico. */
const icon =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Crect width=%2216%22 height=%2216%22 rx=%224%22 fill=%22%230b6e62%22/%3E%3Cpath d=%22M4 5h8M4 8h8M4 11h5%22 stroke=%22white%22 stroke-width=%221.5%22 stroke-linecap=%22round%22/%3E%3C/svg%3E';

const head = (title: string, more: string): string =>
  `<head><meta charset="utf-8"><title>${escaped(title)}</title>` +
  '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">' +
  `<meta name="referrer" content="no-referrer"><link rel="icon" href="${icon}">${more}</head>`;

/** Says aloud what changes; the page fills it. */
const announcer = '<div id="announcer" class="unseen" role="status" aria-live="polite"></div>';

export function dashboardDocument(shown: Shown, parts: PageParts): string {
  const name = shown.picture === null ? 'rag-allinone' : `Job ${shown.picture.job.name} · rag-allinone`;
  const sheet = `<link rel="stylesheet" href="${escaped(parts.style)}">`;
  // Nothing of the first paint waits for them: see browser/main.
  const scripts =
    parts.modules.map((module) => `<link rel="later" href="${escaped(module)}">`).join('') +
    `<script type="module" src="${escaped(parts.main)}"></script>`;
  return `<!doctype html><html lang="en">${head(name, sheet)}<body>${toHtml(dashboardView(shown))}${announcer}${scripts}</body></html>\n`;
}

/** @param policy what the file may do, as Content-Security-Policy says it */
export function fileDocument(title: string, tree: TreeElement, style: string, policy: string): string {
  if (style.includes('</')) throw new Error('Cannot write the style into a document: it would end there');
  const more = `<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}"><style>${style}</style>`;
  return `<!doctype html><html lang="en">${head(title, more)}<body>${toHtml(tree)}</body></html>\n`;
}
