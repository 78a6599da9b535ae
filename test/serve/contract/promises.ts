/** Does an answer keep what the OpenAPI document of its endpoint promises? By the document alone, as a client has it. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { OpenApi, Operation } from '../../../src/serve/contract/openapi.ts';

export interface Said {
  readonly status: number;
  /** Content-Type. */
  readonly type: string;
  readonly text: string;
}

export interface Promises {
  /**
   * @param path of the document: `/documents/{id}`
   * @returns what is wrong with it; undefined when it is as promised
   */
  brokenBy(method: string, path: string, said: Said): string | undefined;
  /** The same for a body that is sent. */
  wrongBody(method: string, path: string, body: unknown): string | undefined;
}

export function promisesOf(document: OpenApi): Promises {
  const strict = closed(document) as OpenApi;
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
  ajv.addSchema(strict, 'document');
  const known = new Map<string, ValidateFunction>();
  const validator = (pointer: string): ValidateFunction => {
    const found = known.get(pointer) ?? ajv.compile({ $ref: `document#${pointer}` });
    known.set(pointer, found);
    return found;
  };
  const wrongs = (pointer: string, value: unknown): string | undefined => {
    const validate = validator(pointer);
    return validate(value) ? undefined : ajv.errorsText(validate.errors).slice(0, 500);
  };
  const operationOf = (method: string, path: string): [Operation | undefined, string] => [
    strict.paths[path]?.[method.toLowerCase()],
    `/paths/${escape(path)}/${method.toLowerCase()}`,
  ];

  return {
    brokenBy(method, path, { status, type, text }) {
      const [operation, place] = operationOf(method, path);
      const name = operation?.responses[status] === undefined ? 'default' : String(status);
      const promised = operation?.responses[name];
      if (promised === undefined) return `no ${status} is promised`;
      const pointer = '$ref' in promised ? String(promised.$ref).slice(1) : `${place}/responses/${name}`;
      const content =
        '$ref' in promised
          ? strict.components.responses[pointer.split('/').at(-1) ?? '']?.content
          : promised.content;
      const media = type.split(';')[0]?.trim() ?? '';
      if (content?.[media] === undefined)
        return `${status} is of type ${media}, promised is ${Object.keys(content ?? {}).join()}`;
      const schema = `${pointer}/content/${escape(media)}/schema`;
      for (const value of valuesOf(media, text)) {
        const wrong = value === unreadable ? 'it is no JSON' : wrongs(schema, value);
        if (wrong !== undefined) return `${status}: ${wrong}: ${text.slice(0, 300)}`;
      }
      return undefined;
    },
    wrongBody: (method, path, body) =>
      wrongs(`${operationOf(method, path)[1]}/requestBody/content/application~1json/schema`, body),
  };
}

/** `~` and `/` in a JSON pointer. In a fragment of a URI braces are not allowed as they are. */
const escape = (key: string): string => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));

const unreadable = Symbol('unreadable');

function valuesOf(type: string, text: string): unknown[] {
  if (type === 'application/json') return [parsed(text)];
  if (type === 'application/x-ndjson')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(parsed);
  return [text];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return unreadable;
  }
}

/** What a client tolerates, a test does not: a field that the document does not name. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  const isObject = copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return isObject ? { ...copy, additionalProperties: false } : copy;
}
