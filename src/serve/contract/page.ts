/** docs/api.md, made from the OpenAPI document. Pure. */
import type { Contents, OpenApi, Operation, Response, Schema } from './openapi.ts';

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function apiPage(document: OpenApi): string {
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Route => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const groups = Map.groupBy(routes, ({ operation }) => operation.tags[0] ?? '');
  return `# HTTP API

<!-- Made by scripts/make-docs.ts from the tables in src/serve/contract. Do not edit. -->

${document.info.description}

A running endpoint gives this description as OpenAPI 3.1 at \`/openapi.json\`; [openapi.json](openapi.json) is the same for this
version. \`/t/TOKEN\` stands in front of the paths that the last column names so.

The examples ask on the node of the job. Where the endpoint is comes from its file, in the folder where the job was submitted or
with its \`RAG_RUNTIME_STATE\`; from other nodes (\`RAG_BIND=node\`) each request shows the token:

\`\`\`sh
eval "$(rag-allinone status --env --wait 600)"      # RAG_URL, RAG_TOKEN_FILE; RAG_RETRIEVER_URL and OLLAMA_HOST hold the URL token
curl -s $RAG_URL/status
curl -s $RAG_URL/status -H "Authorization: Bearer $(cat $RAG_TOKEN_FILE)"
\`\`\`

| route | what | with \`/t/TOKEN\` |
|---|---|---|
${routes.map(overview).join('\n')}

${[...groups].map(([name, all]) => [`## ${name}`, ...sectionsOf(all)].join('\n\n')).join('\n\n')}

## Answers of every route

${Object.entries(document.components.responses)
  .filter(([status]) => /^\d+$/.test(status))
  .map(([status, { description }]) => `- **${status}** ${description}`)
  .join('\n')}

## Shapes

${Object.entries(document.components.schemas)
  .map(([name, schema]) => shape(name, schema))
  .join('\n\n')}
`;
}

const overview = ({ method, path, operation }: Route): string =>
  `| \`${method} ${path}\` | ${operation.summary} | ${'servers' in operation ? 'yes' : ''} |`;

/** Routes of which the same is to be said stand together. */
const sectionsOf = (routes: readonly Route[]): string[] =>
  [...Map.groupBy(routes, sectionText)].map(([text, alike]) =>
    [
      `### ${alike.map(({ method, path }) => `${method} ${path}`).join(', ')}`,
      text,
      ...alike.slice(0, 1).flatMap(exampleOf),
    ].join('\n\n'),
  );

function sectionText({ operation }: Route): string {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const body = formOf(contentOf(requestBody?.content));
  const own = Object.entries(responses).flatMap(([status, response]) =>
    '$ref' in response ? [] : [[status, response] as const],
  );
  const answered = formOf(contentOf(own.find(([status]) => status.startsWith('2'))?.[1].content));
  return [
    summary,
    description,
    ...fields(
      parameters.map(({ name, schema, description: meaning }) => ({
        name,
        schema: { ...schema, ...(meaning !== undefined && { description: meaning }) },
      })),
    ),
    isRef(body) ? `Body: ${typeOf(body)}` : '',
    ...fields(rowsOf(body)),
    own.map(([status, response]) => answerLine(status, response)).join('\n'),
    ...fields(rowsOf(answered)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function exampleOf({ path, operation }: Route): string[] {
  const example = contentOf(operation.requestBody?.content)?.example;
  return example === undefined ? [] : [curl(path, example)];
}

const contentOf = (
  contents: Contents | undefined,
): (Contents[string] & { readonly type: string }) | undefined => {
  const [found] = Object.entries(contents ?? {});
  return found && { type: found[0], ...found[1] };
};

function answerLine(status: string, { description, content }: Response): string {
  const types = Object.keys(content).filter((type) => type !== 'application/json');
  const { schema = {} } = contentOf(content) ?? {};
  const what = [...(isRef(schema) ? [typeOf(schema)] : []), ...types.map((type) => `\`${type}\``)];
  return `- **${status === 'default' ? 'any other' : status}** ${description}${what.length > 0 ? ` (${what.join(', ')})` : ''}`;
}

const curl = (path: string, example: unknown): string =>
  `\`\`\`sh\ncurl -s $RAG_URL${path} -H 'content-type: application/json' -d '${JSON.stringify(example).replaceAll("'", String.raw`'\''`)}'\n\`\`\``;

interface Field {
  readonly name: string;
  readonly schema: Schema;
}

/** Of several forms the first that is an object: its route says which others there are. Of lines what any may hold. */
function formOf({ type, schema = {} }: Partial<ReturnType<typeof contentOf>> = {}): Schema {
  const forms = schema.anyOf?.filter(({ properties }) => properties !== undefined) ?? [];
  if (type !== 'application/x-ndjson') return forms[0] ?? schema;
  if (forms.length === 0) return schema;
  return {
    properties: Object.fromEntries(forms.flatMap(({ properties = {} }) => Object.entries(properties))),
  };
}

/** Of an object and of the objects in it that have no name of their own. */
function rowsOf(schema: Schema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const full = `${prefix}${name}`;
    const optional = schema.required?.includes(name) === true ? '' : '?';
    const inner = field.properties === undefined ? (field.items ?? {}) : field;
    return [
      { name: `${full}${optional}`, schema: field },
      ...rowsOf(inner, `${full}${field.properties === undefined ? '[]' : ''}.`),
    ];
  });
}

const fields = (rows: readonly Field[]): string[] =>
  rows.length === 0
    ? []
    : [
        [
          '| field | type | meaning |',
          '|---|---|---|',
          ...rows.map(
            ({ name, schema }) =>
              `| \`${name}\` | ${typeOf(schema).replaceAll('|', '\\|')} | ${(schema.description ?? '').replaceAll('|', '\\|')} |`,
          ),
        ].join('\n'),
      ];

const shape = (name: string, schema: Schema): string =>
  [`### ${name}`, schema.description ?? '', ...fields(rowsOf(schema))]
    .filter((part) => part !== '')
    .join('\n\n');

const isRef = (schema: Schema): boolean => schema.$ref !== undefined;

/** In words: `string or null`, `list of Hit or Document`. */
function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (typeof schema.type === 'object') return schema.type.join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  return schema.type ?? 'anything';
}
