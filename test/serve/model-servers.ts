/** Model servers by hand: what they answer is a function, and which of them are up is said by the test. */
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { unixAddress } from '../../src/models/address.ts';
import { type Flights, makeFlights } from '../../src/models/flights.ts';
import { makeRoster } from '../../src/models/roster.ts';
import type { Role, Roster } from '../../src/models/types.ts';
import type { GatewayFigures, GatewayLimits } from '../../src/serve/gateway/gateway.ts';
import type { EndpointOptions } from '../../src/serve/serve.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

export type Where = 'a port' | 'a Unix socket';

export interface Upstream extends AsyncDisposable {
  readonly url: string;
}

export async function upstream(handler: Handler, place: Where = 'a port'): Promise<Upstream> {
  const server = createServer((request, response) => void handler(request, response));
  const folder = await mkdtempDisposable(join(tmpdir(), 'upstream-'));
  const file = join(folder.path, '1.sock');
  if (place === 'a port') server.listen(0, '127.0.0.1');
  else server.listen(file);
  await once(server, 'listening');
  const address = server.address();
  return {
    url: typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : unixAddress(file),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      if (server.listening) await server[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}

export const modelOf: Readonly<Record<Role, string>> = { generate: 'writer:7b', embed: 'embedder' };

export type Ollama = EndpointOptions['ollama'] & { readonly roster: Roster; readonly flights: Flights };

/** The instances `generate-1`, `generate-2`, ... and `embed-1`, ... */
export function ollamaOf(
  urls: Partial<Record<Role, string | readonly string[]>>,
  limits: GatewayLimits = {},
): Ollama {
  const roster = makeRoster();
  const roles = Object.keys(urls) as Role[];
  for (const role of roles)
    for (const [at, url] of [urls[role] ?? []].flat().entries())
      roster.set(role, `${role}-${at + 1}`, { url, model: modelOf[role] });
  return {
    roster,
    flights: makeFlights(),
    models: roles.map((role) => ({ role, model: modelOf[role] })),
    instances: (role) => roster.list(role),
    onChange: (listener) => roster.onChange(listener),
    frozen: (role) => ({ num_ctx: role === 'embed' ? 512 : 4096 }),
    limits,
  };
}

export const json = async (request: IncomingMessage): Promise<Record<string, unknown>> =>
  JSON.parse((await text(request)) || '{}') as Record<string, unknown>;

/** Answers `GET` as a server with this model does, and a POST by telling what it got. */
export const echo =
  (name: string): Handler =>
  async (request, response) => {
    const body = await json(request);
    const models = [{ name: `${name}:latest` }, { name: 'writer:7b' }];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, path: request.url, body, models, version: '0.33.0' }));
  };

export const user = (content: string): object => ({ role: 'user', content });

export const chatBody = (content = 'hello', more: object = {}): object => ({
  model: modelOf.generate,
  messages: [user(content)],
  ...more,
});

/** The text of the first message of what a server got. */
export const firstOf = (body: Record<string, unknown>): string =>
  (body as { messages: { content: string }[] }).messages[0]?.content ?? '';

export const answer = (
  response: ServerResponse,
  said = '{"message":{"content":""},"done":true}\n',
): unknown => response.setHeader('content-type', 'application/x-ndjson').end(said);

/** Holds its answers until the test lets one go. */
export async function holding(): Promise<
  Upstream & { readonly held: ServerResponse[]; readonly asked: string[] }
> {
  const held: ServerResponse[] = [];
  const asked: string[] = [];
  const server = await upstream(async (request, response) => {
    asked.push(firstOf(await json(request)));
    held.push(response);
  });
  return { ...server, held, asked };
}

/** Which instance gave this answer. */
export async function servedBy(asked: Promise<Response>): Promise<string | null> {
  const response = await asked;
  await response.text();
  return response.headers.get('x-served-by');
}

export interface Asked {
  readonly path: string | undefined;
  readonly body: Record<string, unknown>;
}

/** Answers with these lines, or with one object, and notes what it was asked. */
export async function saying(...lines: object[]): Promise<Upstream & { readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = await upstream(async (request, response) => {
    asked.push({ path: request.url, body: await json(request) });
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    response.setHeader('content-type', lines.length > 1 ? 'application/x-ndjson' : 'application/json');
    response.end(lines.length > 1 ? `${text}\n` : text);
  });
  return { ...server, asked };
}

/** The data of server-sent events. */
export const eventsOf = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));

/** What `/status` tells of the gateway. */
export const figuresOf = async (endpointUrl: string): Promise<GatewayFigures> =>
  ((await (await fetch(`${endpointUrl}/status`)).json()) as { gateway: GatewayFigures }).gateway;

/** Asks again and again: nobody tells when. */
export async function untilFigures(
  endpointUrl: string,
  fits: (figures: GatewayFigures) => boolean,
  what: string,
): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!fits(await figuresOf(endpointUrl)))
    if (performance.now() > deadline) throw new Error(`timed out: ${what}`);
}
