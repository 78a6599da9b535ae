/** The OpenAPI 3.1 document of the endpoint, made from the tables. Pure. */
import { z } from 'zod';
import type { Contents, OpenApi, Operation, Parameter, Response, Schema } from './openapi.ts';
import {
  type Answer,
  type Content,
  type ErrorForm,
  errorFormOf,
  errorForms,
  errorSchemaOf,
  groups,
  json,
  problem,
  type RouteContract,
} from './route.ts';
import { routes } from './table.ts';

const description = `The endpoint of one job. It answers its owner on its own node, over loopback or a Unix socket, and who shows a
token: \`Authorization: Bearer\` with the header token opens everything; a client that cannot send headers puts the URL token
in front of the path (\`/t/TOKEN/retrieve\`), which opens retrieval and models. A web page (a request with
an \`Origin\`) may ask only when it is the endpoint's own: its \`Origin\` must be the \`Host\` that it asks, and that must be
loopback or the header token be shown. Bodies are JSON; fields that are not known are ignored. An answer may get more fields.`;

/** What routes answer beside what their tables say. */
const common: Readonly<Record<number, Answer>> = {
  400: problem('The request cannot be read.'),
  401: problem('The caller is not the owner on this node and shows no token.'),
  403: problem('The token does not open this, or a web page of another address asks.'),
  408: problem('It came too slowly.'),
  413: problem('The body is too large.'),
  415: problem('The body is of another type than is wanted.'),
  431: problem('Its head is too large.'),
  500: problem('A bug of this program (`bug`), or what a service failed with.'),
  502: problem('What a model server answered cannot be used.'),
  503: problem('A service that it needs is not there now, or the job ends.'),
};

function commonOf({ who, method, body, answers, otherwise, never = [] }: RouteContract): number[] {
  const all = [
    // Where the request goes on to another server, that may say 400 in its own words.
    ...(otherwise === undefined ? [400] : []),
    ...(who === 'anyone' ? [] : [401, 403]),
    ...(body === undefined ? [] : [413, 502, 503]),
    408,
    ...(method === 'GET' ? [] : [415]),
    431,
    500,
  ];
  return all.filter((status) => !never.includes(status) && answers[status] === undefined);
}

/** @param version of this program */
export function openApiDocument(version: string, table: readonly RouteContract[] = routes): OpenApi {
  const schemas: Record<string, Schema> = {};
  const toSchema: ToSchema = (schema) => {
    const { $schema: _, $defs, ...own } = convert(schema);
    Object.assign(schemas, $defs);
    return own;
  };
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of table) {
    const path = documentPath(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, toSchema) };
  }
  const used = errorForms.filter((form) => table.some(({ path }) => errorFormOf(path) === form));
  const responses = Object.fromEntries(
    used.flatMap((form) =>
      Object.entries(common).map(([status, each]) => [
        componentOf(status, form),
        responseOf(each, { form, status, toSchema }),
      ]),
    ),
  );
  return {
    openapi: '3.1.0',
    info: { title: 'rag-allinone', version, description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    security: [{}, { header_token: [] }],
    tags: Object.values(groups)
      .filter((tag) => table.some(({ group }) => groups[group] === tag))
      .map((tag) => ({ name: tag })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      responses,
      securitySchemes: {
        header_token: {
          type: 'http',
          scheme: 'bearer',
          description: 'What `token_file` of ollama_service.json holds.',
        },
      },
    },
  };
}

/** `413` of our own routes, `413.ollama` of those that Ollama's clients ask. */
const componentOf = (status: number | string, form: ErrorForm): string =>
  form === 'own' ? String(status) : `${status}.${form}`;

/** Names of our schemas stand in the components; the largest safe integer as a limit says nothing. */
function convert(schema: z.ZodType): Schema & { readonly $defs?: Readonly<Record<string, Schema>> } {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/')) as Schema;
}

/** `/documents/:id` -> `/documents/{id}`, `/api/blobs/*` -> `/api/blobs/{rest}` */
export const documentPath = (path: string): string =>
  path.replaceAll(/:(\w+)/gu, '{$1}').replace('*', '{rest}');

type ToSchema = (schema: z.ZodType) => Schema;

function operationOf(route: RouteContract, toSchema: ToSchema): Operation {
  const { path, method, summary, about, who, group, params, query, body, answers, otherwise } = route;
  const form = errorFormOf(path);
  const parameters = [...parametersOf('path', params, toSchema), ...parametersOf('query', query, toSchema)];
  return {
    operationId: `${method.toLowerCase()}${path.replace('*', 'rest').replaceAll(/\W+(\w?)/gu, (_all, letter: string) => letter.toUpperCase())}`,
    tags: [groups[group]],
    summary,
    description: [about ?? '', whoText[who]].join('\n\n').trim(),
    ...(who === 'anyone' && { security: [] }),
    ...(who === 'models' && { servers: [{ url: '/' }, byUrlToken] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: contentOf(body, toSchema) } }),
    responses: {
      ...mapEntries(answers, (each, status) => responseOf(each, { form, status, toSchema })),
      ...Object.fromEntries(
        commonOf(route).map((status) => [
          status,
          { $ref: `#/components/responses/${componentOf(status, form)}` },
        ]),
      ),
      ...(otherwise && { default: responseOf(otherwise, { form, status: 'default', toSchema }) }),
    },
  };
}

const contentOf = ({ type, schema, example }: Content, toSchema: ToSchema): Contents => ({
  [type]: { schema: toSchema(schema), ...(example !== undefined && { example }) },
});

const responseOf = (
  { meaning, contents, headers }: Answer,
  { form, status, toSchema }: { form: ErrorForm; status: string; toSchema: ToSchema },
): Response => ({
  description: meaning,
  ...(headers && {
    headers: mapEntries(headers, (described) => ({ description: described, schema: { type: 'string' } })),
  }),
  content: Object.assign(
    {},
    ...(contents === 'an error' ? [json(errorSchemaOf(form, status))] : contents).map((content) =>
      contentOf(content, toSchema),
    ),
  ) as Contents,
});

const mapEntries = <From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From, key: string) => To,
): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));

const whoText: Readonly<Record<RouteContract['who'], string>> = {
  anyone: 'For anyone who reaches the port.',
  models: 'For the owner and for both tokens.',
  everything: 'For the owner and for the header token.',
};

const byUrlToken = {
  url: '/t/{token}',
  description: 'For clients that cannot send headers.',
  variables: {
    token: { default: 'TOKEN', description: 'What `url_token_file` of ollama_service.json holds.' },
  },
};

function parametersOf(
  place: Parameter['in'],
  schema: z.ZodObject | undefined,
  toSchema: ToSchema,
): Parameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = toSchema(schema);
  return Object.entries(properties).map(([name, { description, ...own }]) => ({
    name: name === '*' ? 'rest' : name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: own,
  }));
}
