/**
 * Requests as nobody should send them, made from the OpenAPI document by a seed: one way of being wrong each, on top of
 * a request that is right.
 */
import * as fc from 'fast-check';
import type { OpenApi } from '../../../src/serve/contract/openapi.ts';
import { strangeMethods, strangeTargets, strangeTypes, brokenHeads } from './strange.ts';
import type { Sent } from './raw-http.ts';
import { rightBody, strangeValue } from './values.ts';

export interface Malformed extends Sent {
  /** How it is wrong. */
  readonly kind: string;
  /** Of each request in it. */
  readonly asked: readonly Asked[];
}

export interface Asked {
  readonly method: string;
  /** Of the document, from which it was made. */
  readonly path: string;
  /** Whether it still is this one's to answer: not with another method, target or head. */
  readonly isSure: boolean;
}

/** A request that is right, in its parts. */
interface Right extends Pick<Asked, 'method' | 'path'> {
  /** With the values of its parameters. */
  readonly target: string;
  readonly body: unknown;
}

interface Parts {
  readonly kind: string;
  readonly asked: Asked;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly after?: Sent['after'];
  /** Instead of the length of the body. */
  readonly framing?: readonly string[];
}

/** @param models that the job serves: a request for another never gets further than its name */
export function malformedRequests(document: OpenApi, models: readonly string[]): fc.Arbitrary<Malformed> {
  const operations = Object.entries(document.paths).flatMap(([path, all]) =>
    Object.entries(all).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const right = fc.constantFrom(...operations).chain(({ method, path, operation }) =>
    rightBody(operation, document, models).map((body): Right => ({
      method,
      path,
      target: path.replaceAll(/\{\w+\}/gu, 'x'),
      body,
    })),
  );
  const withBody = right.filter(({ body }) => body !== undefined);
  const one = fc.oneof(
    { weight: 30, arbitrary: withBody.chain(wrongValue) },
    { weight: 8, arbitrary: withBody.chain(nested) },
    { weight: 14, arbitrary: withBody.chain(brokenText) },
    { weight: 8, arbitrary: withBody.chain(brokenBytes) },
    { weight: 8, arbitrary: withBody.chain(wrongType) },
    { weight: 8, arbitrary: right.chain(wrongMethod) },
    { weight: 10, arbitrary: right.chain(wrongTarget) },
    { weight: 8, arbitrary: right.chain(wrongHead) },
    { weight: 6, arbitrary: withBody.chain(cutShort) },
  );
  // What comes behind an upgrade is no HTTP any more.
  const pipelined = fc.array(
    one.filter(({ after, kind }) => after === undefined && !kind.includes('an upgrade')),
    { minLength: 2, maxLength: 5 },
  );
  return fc.oneof(
    { weight: 96, arbitrary: one.map((parts) => malformed(parts.kind, [parts])) },
    { weight: 4, arbitrary: pipelined.map((all) => malformed('pipelined', all)) },
  );
}

function malformed(kind: string, all: readonly Parts[]): Malformed {
  const bytes = all.map((parts, at) => bytesOf(parts, at === all.length - 1));
  return {
    kind,
    bytes: Buffer.concat(bytes),
    after: all.at(-1)?.after ?? 'wait',
    methods: all.map(({ method }) => method),
    asked: all.map(({ asked }) => asked),
  };
}

function bytesOf({ method, target, headers, body, framing }: Parts, isLast: boolean): Buffer {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: localhost']),
    ...headers,
    ...(framing ?? (body.length > 0 ? [`Content-Length: ${body.length}`] : [])),
    ...(isLast ? ['Connection: close'] : []),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

const isJson = 'Content-Type: application/json';

const partsOf = (kind: string, { method, path, target }: Right, body: string | Buffer = ''): Parts => ({
  kind,
  asked: { method, path, isSure: true },
  method,
  target,
  headers: method === 'GET' ? [] : [isJson],
  body: Buffer.from(body),
});

const unsure = ({ method, path }: Right): Asked => ({ method, path, isSure: false });

type Change = (right: Right) => fc.Arbitrary<Parts>;

/** A field of another type or size, or none, or one more. */
const wrongValue: Change = (right) => {
  const fields = { ...(right.body as object) } as Record<string, unknown>;
  const names = [
    ...Object.keys(fields),
    'queries',
    'query',
    'filter',
    'topk',
    'options',
    'model',
    'messages',
    'input',
    '__proto__',
    'constructor',
  ];
  return fc
    .tuple(fc.constantFrom(...names), fc.option(strangeValue, { nil: undefined, freq: 8 }))
    .map(([name, value]) => {
      const body = Object.defineProperty(fields, name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      // A lone surrogate is written as JSON has it; a number that is none as its literal.
      const text = JSON.stringify(body).replace(/"\0(\w+)\0"/gu, '$1');
      return partsOf(`value of ${name}`, right, text);
    });
};

const nested: Change = (right) =>
  fc
    .tuple(
      fc.constantFrom('queries', 'query', 'filter', 'options', 'messages', 'input', 'x'),
      fc.constantFrom('[', '{"a":'),
      fc.constantFrom(50, 1000, 20_000, 200_000),
    )
    .map(([name, open, depth]) => {
      const deep = `${open.repeat(depth)}1${(open === '[' ? ']' : '}').repeat(depth)}`;
      const text = JSON.stringify(right.body).replace(/\}$/u, `,"${name}":${deep}}`).replace(/^\{,/u, '{');
      return partsOf(`nested ${depth} deep`, right, text);
    });

const brokenText: Change = (right) => {
  const text = JSON.stringify(right.body);
  return fc.oneof(
    fc.nat(text.length - 1).map((length) => partsOf('cut JSON', right, text.slice(0, length))),
    fc
      .constantFrom(
        '',
        ' ',
        '{',
        '[]',
        'null',
        '1',
        '"text"',
        `${text}x`,
        `${text}${text}`,
        `\uFEFF${text}`,
        '{"queries":[NaN]}',
        '{"topk":1e999,"queries":["a"],"query":"a"}',
        '{"topk":-0,"query":"a","queries":["a"]}',
        "{'query':'a'}",
        '{"query":"a",}',
        '{"query":"\u0000"}',
        '{"query":"\\ud800","queries":["\\udfff"]}',
        '{"__proto__":{"query":"a"}}',
        '{"constructor":{"prototype":{"x":1}}}',
        '{"query":"a","query":["b"]}',
        '/* */{}',
      )
      .map((broken) => partsOf('broken JSON', right, broken)),
    fc.string({ unit: 'binary', maxLength: 200 }).map((noise) => partsOf('no JSON', right, noise)),
  );
};

const brokenBytes: Change = (right) =>
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom(
        [0xff],
        [0xc0, 0xaf],
        [0xed, 0xa0, 0x80],
        [0xf4, 0x90, 0x80, 0x80],
        [0xe2, 0x82],
        [0],
        [0x80],
      ),
    )
    .map(([place, bytes]) => {
      const text = Buffer.from(JSON.stringify(right.body));
      const at = place % (text.length + 1);
      return partsOf(
        'broken UTF-8',
        right,
        Buffer.concat([text.subarray(0, at), Buffer.from(bytes), text.subarray(at)]),
      );
    });

const wrongType: Change = (right) =>
  fc
    .constantFrom(...strangeTypes)
    .map((headers) => ({ ...partsOf(`type ${headers.join()}`, right, JSON.stringify(right.body)), headers }));

const wrongMethod: Change = (right) =>
  fc.constantFrom(...strangeMethods).map((method) => ({
    ...partsOf(`method ${method}`, right, right.body === undefined ? '' : JSON.stringify(right.body)),
    asked: unsure(right),
    method,
  }));

const wrongTarget: Change = (right) =>
  fc.constantFrom(...strangeTargets).map((change) => ({
    ...partsOf('target', right, right.body === undefined ? '' : JSON.stringify(right.body)),
    asked: unsure(right),
    target: change(right.target),
  }));

const wrongHead: Change = (right) =>
  fc.constantFrom(...brokenHeads).map(({ kind, lines, framing }) => {
    const parts = partsOf(`head: ${kind}`, right, right.body === undefined ? '' : JSON.stringify(right.body));
    return {
      ...parts,
      asked: unsure(right),
      headers: [...parts.headers, ...lines],
      ...(framing && { framing, after: 'end' as const }),
    };
  });

const cutShort: Change = (right) =>
  fc
    .tuple(fc.nat(), fc.constantFrom('end', 'reset'), fc.constantFrom('length', 'chunks', 'bad chunks'))
    .map(([place, after, how]) => {
      const whole = Buffer.from(JSON.stringify(right.body));
      const body = whole.subarray(0, place % whole.length);
      const chunks = `${(how === 'chunks' ? whole.length : 'zz').toString(16)}\r\n`;
      return {
        ...partsOf(
          `cut short, ${how}`,
          right,
          how === 'length' ? body : Buffer.concat([Buffer.from(chunks), body]),
        ),
        asked: unsure(right),
        framing: how === 'length' ? [`Content-Length: ${whole.length}`] : ['Transfer-Encoding: chunked'],
        after,
      };
    });
