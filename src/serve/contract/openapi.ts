/** An OpenAPI 3.1 document, as far as this program reads its own. Types only. */

export type Json = Readonly<Record<string, unknown>>;

/** As far as this program reads it itself. */
export interface OpenApi extends Json {
  readonly openapi: string;
  readonly info: Json & { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Json & {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

export interface Operation extends Json {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Json & { readonly content: Contents };
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>;
}

export interface Response extends Json {
  readonly description: string;
  readonly content: Contents;
}

export type Contents = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;

export interface Parameter extends Json {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly description?: string;
  readonly schema: Schema;
}

/** JSON Schema 2020-12, of which this is what the tables use. */
export interface Schema extends Json {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: string;
}
