/** Heads of requests that are wrong, as lists: methods, targets, types, header lines. */
import { METHODS } from 'node:http';

/** CONNECT is not among them: it asks for a tunnel, and its connection is closed without a word. */
export const strangeMethods: readonly string[] = [
  ...METHODS.filter((method) => method !== 'CONNECT' && method !== 'POST'),
  'BREW',
  'get',
  'G\u0001T',
  'POST POST',
];

type Change = (target: string) => string;

export const strangeTargets: readonly Change[] = [
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => `${path}/../status`,
  (path) => `/healthz/..${path}`,
  (path) => `${path}%00`,
  (path) => `${path}%zz`,
  (path) => `${path}%2e%2e%2fstatus`,
  (path) => path.replace('/', '/%2f'),
  (path) => path.toUpperCase(),
  (path) => `${path};x=1`,
  (path) => `${path}?${'a=1&'.repeat(2000)}`,
  (path) => `${path}?a[b][c]=1&__proto__[x]=1&constructor=2`,
  (path) => `${path}?%ff=%fe`,
  (path) => `${path}#fragment`,
  (path) => `http://example.org${path}`,
  (path) => `//example.org${path}`,
  (path) => `/t/x${path}`,
  (path) => `/t//${path}`,
  (path) => `/t/${'A'.repeat(43)}${path}`,
  (path) => `${path}\u00e9`,
  (path) => `${path}\u0001`,
  (path) => `${path} ${path}`,
  (path) => path.slice(1),
  () => '*',
  () => '',
  () => `/${'x'.repeat(10_000)}`,
  () => `/${'x'.repeat(100_000)}`,
  () => `/${'a/'.repeat(3000)}`,
  () => '/proof?nonce=x&nonce=y',
  () => `/proof?nonce=${'0'.repeat(5000)}`,
  () => '/api/blobs/../../etc/passwd',
  () => '/api/blobs/sha256:00',
];

export const strangeTypes: readonly (readonly string[])[] = [
  [],
  ['Content-Type: '],
  ['Content-Type: text/plain'],
  ['Content-Type: application/x-www-form-urlencoded'],
  ['Content-Type: multipart/form-data'],
  ['Content-Type: multipart/form-data; boundary='],
  ['Content-Type: application/json; charset=utf-16'],
  ['Content-Type: application/json;;;'],
  ['Content-Type: application/jsonp'],
  ['Content-Type: APPLICATION/JSON'],
  ['Content-Type: application/json', 'Content-Type: text/plain'],
  ['Content-Type: application/json, text/plain'],
  ['Content-Type: application/json\u0000'],
  ['Content-Type: application/json', 'Content-Encoding: gzip'],
  ['Content-Type: application/json', 'Content-Encoding: br, identity'],
];

interface BrokenHead {
  readonly kind: string;
  readonly lines: readonly string[];
  readonly framing?: readonly string[];
}

export const brokenHeads: readonly BrokenHead[] = [
  { kind: '3,000 lines', lines: Array.from({ length: 3000 }, (_, at) => `X-${at}: 1`) },
  { kind: 'one of 64 KiB', lines: [`X-Long: ${'x'.repeat(65_536)}`] },
  { kind: 'a name with a blank', lines: ['X Y: 1'] },
  { kind: 'a name that is none', lines: [': 1'] },
  { kind: 'no colon', lines: ['nonsense'] },
  { kind: 'a bare CR', lines: ['X: a\rb'] },
  { kind: 'a NUL', lines: ['X: a\u0000b'] },
  { kind: 'a folded line', lines: ['X: a', '  b'] },
  { kind: 'two hosts', lines: ['Host: localhost', 'Host: example.org'] },
  { kind: 'another host', lines: ['Host: example.org'] },
  { kind: 'no host', lines: ['Host:'] },
  { kind: 'an origin', lines: ['Origin: https://example.org'] },
  { kind: 'a bearer of nothing', lines: ['Authorization: Bearer '] },
  { kind: 'a bearer of 8 KiB', lines: [`Authorization: Bearer ${'x'.repeat(8192)}`] },
  { kind: 'an expectation', lines: ['Expect: 100-continue'] },
  { kind: 'a strange expectation', lines: ['Expect: tea'] },
  { kind: 'an upgrade', lines: ['Connection: Upgrade', 'Upgrade: websocket'] },
  {
    kind: 'an upgrade to h2c',
    lines: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
  },
  { kind: 'two lengths', lines: [], framing: ['Content-Length: 1', 'Content-Length: 2'] },
  { kind: 'a length below 0', lines: [], framing: ['Content-Length: -1'] },
  { kind: 'a length that is none', lines: [], framing: ['Content-Length: many'] },
  { kind: 'a huge length', lines: [], framing: ['Content-Length: 99999999999999999999'] },
  { kind: 'a length too long', lines: [], framing: ['Content-Length: 900000000'] },
  { kind: 'length and chunks', lines: [], framing: ['Content-Length: 5', 'Transfer-Encoding: chunked'] },
  { kind: 'an unknown coding', lines: [], framing: ['Transfer-Encoding: rot13'] },
  {
    kind: 'a chunk of a huge size',
    lines: [],
    framing: ['Transfer-Encoding: chunked', '', 'ffffffffffffffff'],
  },
];
