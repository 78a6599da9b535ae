import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compareVersions, highest, isElf, readElfNeeds, tooNew } from '../../scripts/package/elf-needs.ts';

const path = join(
  import.meta.dirname,
  '../../node_modules/@napi-rs/nice-linux-x64-gnu/nice.linux-x64-gnu.node',
);
const skip = process.platform === 'linux' && process.arch === 'x64' ? false : 'no x86-64 Linux';

test('what a binary asks for is read from it, and the oldest system has it', { skip }, () => {
  const needs = readElfNeeds(readFileSync(path));
  assert.ok(needs.libraries.includes('libc.so.6'), needs.libraries.join());
  assert.ok(needs.versions.includes('GLIBC_2.14'), needs.versions.join());
  assert.deepEqual(tooNew(needs), []);
});

test('a binary that was built on a newer system is refused by name', { skip }, () => {
  const text = readFileSync(path).toString('latin1');
  const newer = readElfNeeds(Buffer.from(text.replaceAll('GLIBC_2.14', 'GLIBC_2.34'), 'latin1'));
  assert.deepEqual(tooNew(newer), ['GLIBC_2.34']);
});

test('another machine and another thing are no x86-64 files', { skip }, () => {
  const bytes = Buffer.from(readFileSync(path));
  bytes.writeUInt16LE(183, 18); // aarch64
  assert.throws(() => readElfNeeds(bytes), /x86-64 is wanted/);
  assert.equal(isElf(Buffer.from('#!/bin/sh')), false);
});

test('versions are judged by their family and their numbers; a family that nobody knows is too new', () => {
  const versions = [
    'GLIBC_2.4',
    'GLIBC_2.28',
    'GLIBC_2.29',
    'GLIBC_ABI_DT_RELR',
    'GLIBC_PRIVATE',
    'GLIBCXX_3.4.25',
    'GLIBCXX_3.4.26',
    'CXXABI_1.3.9',
    'OPENSSL_3.0.0',
  ];
  const wanted = ['GLIBC_2.29', 'GLIBC_ABI_DT_RELR', 'GLIBC_PRIVATE', 'GLIBCXX_3.4.26', 'OPENSSL_3.0.0'];
  assert.deepEqual(tooNew({ libraries: ['libm.so.6', 'libssl.so.3'], versions }), ['libssl.so.3', ...wanted]);
  assert.ok(compareVersions('2.4', '2.28') < 0);
  assert.deepEqual(highest(['GLIBC_2.4', 'GLIBC_2.28', 'GLIBC_2.9', 'GCC_3.0']), ['GCC_3.0', 'GLIBC_2.28']);
});
