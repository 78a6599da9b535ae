/** Values for bodies: right ones by their schemas, and strange ones. */
import * as fc from 'fast-check';
import type { OpenApi, Operation, Schema } from '../../../src/serve/contract/openapi.ts';

/** Short texts: what is wrong is elsewhere. */
const words = fc.constantFrom('dose', 'Which exit code means that a disk is full?', 'GPU', 'größe', '');

/** By its schema; the names of models are the job's, mostly. */
export function rightBody(
  operation: Operation,
  document: OpenApi,
  models: readonly string[],
): fc.Arbitrary<unknown> {
  const schema = operation.requestBody?.content['application/json']?.schema;
  if (schema === undefined) return fc.constant(undefined);
  const value = (of: Schema, name: string): fc.Arbitrary<unknown> => {
    if (of.$ref !== undefined)
      return value(document.components.schemas[of.$ref.split('/').at(-1) ?? ''] ?? {}, name);
    if (of.anyOf !== undefined) return fc.oneof(...of.anyOf.map((each) => value(each, name)));
    if (name === 'model') return fc.constantFrom(...models, 'qwen3:235b');
    if (of.properties !== undefined) return objectOf(of, value);
    if (of.type === 'array') return fc.array(value(of.items ?? {}, ''), { maxLength: 3 });
    if (of.type === 'integer' || of.type === 'number') return fc.nat(10);
    if (of.type === 'null') return fc.constant(null);
    if (of.type === 'boolean' || Array.isArray(of.type)) return fc.boolean();
    if (of.type === 'object') return fc.constant({});
    return words;
  };
  return value(schema, '');
}

const objectOf = (
  { properties = {}, required = [] }: Schema,
  value: (of: Schema, name: string) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> =>
  fc.record(Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, value(each, name)])), {
    requiredKeys: [...required],
  });

const strangeText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '\0',
    '\u{202E}',
    '\\',
    '"',
    "'; DROP TABLE chunks; --",
    '../../etc/passwd',
    '**',
    '%',
    '[',
    '(',
    '\r\n',
    '\uFEFF',
    'a*'.repeat(200),
  ),
  fc.nat(20_000).map((length) => 'x '.repeat(length)),
);

export const strangeValue = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      -1,
      0.5,
      1e308,
      2 ** 53,
      2 ** 31,
      4_294_967_296,
      -0,
      1e15,
      true,
      null,
      [],
      {},
      '',
      'null',
    ),
  },
  { weight: 2, arbitrary: strangeText },
  { weight: 1, arbitrary: fc.array(strangeText, { maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(strangeText, fc.jsonValue({ maxDepth: 1 }), {
      maxKeys: 5,
    }),
  },
);
