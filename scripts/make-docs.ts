/** Writes the pages that are made from tables; with --check says whether they are fresh. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { configurationPage, environmentExample, errorsPage, yamlExample } from '../src/config/reference.ts';
import { openApiDocument } from '../src/serve/contract/document.ts';
import { apiPage } from '../src/serve/contract/page.ts';
import { version } from '../src/version.ts';

const pages: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configurationPage,
  'docs/errors.md': errorsPage,
  'docs/api.md': () => apiPage(openApiDocument(version())),
  'docs/openapi.json': () => `${JSON.stringify(openApiDocument(version()), null, 2)}\n`,
  'env.example': environmentExample,
  'configs/cluster.yaml.example': yamlExample,
};

const root = fileURLToPath(new URL('..', import.meta.url));
const stale: string[] = [];

for (const [path, make] of Object.entries(pages)) {
  const target = root + path;
  if (process.argv.includes('--check')) {
    if (read(target) !== make()) stale.push(path);
  } else {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, make());
  }
}
if (stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}\n  hint: node scripts/make-docs.ts`);
  process.exitCode = 1;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
