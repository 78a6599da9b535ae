import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { RagError } from '../errors.ts';

/** A model that is complete on disk. */
export interface StoredModel {
  /** sha256 of the manifest, as the server's `/api/tags` tells it. */
  readonly digest: string;
  /** Weights and all else that is loaded with them. */
  readonly bytes: number;
  /** The manifest's bytes, and its path inside any store. */
  readonly manifest: Buffer;
  readonly manifestPath: string;
  readonly blobs: readonly StoredBlob[];
}

export interface StoredBlob {
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Where its file is; absolute. */
  readonly file: string;
}

/** Why a model cannot be served from a store. `incomplete`: a pull that was cut leaves such a one. */
export type NotServable = 'absent' | 'incomplete';

interface Blob {
  readonly digest: string;
  readonly size: number;
}

const component = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/**
 * Where the store keeps the manifest of a model: `[host/][namespace/]model[:tag]`, with the registry's defaults.
 * Null when the name is not one: it must not lead out of the store.
 */
export function manifestPath(name: string): string | null {
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const tag = colon < 0 ? 'latest' : name.slice(colon + 1);
  const parts = (colon < 0 ? name : name.slice(0, colon)).split('/');
  const model = parts.pop() ?? '';
  const namespace = parts.pop() ?? 'library';
  const host = parts.pop() ?? 'registry.ollama.ai';
  const rightHost = /^[A-Za-z0-9_][A-Za-z0-9._-]*(:\d+)?$/.test(host);
  const wellFormed =
    parts.length === 0 && rightHost && [namespace, model, tag].every((each) => component.test(each));
  return wellFormed ? path.join('manifests', host, namespace, model, tag) : null;
}

/**
 * Looks into the model store without a server, as before a submission. A blob of another size counts as missing.
 *
 * @throws the file system's error where the store cannot be read: that says nothing of the model
 */
export async function readModel(
  modelsDir: string,
  name: string,
): Promise<NotServable | 'no-store' | StoredModel> {
  const store = path.resolve(modelsDir);
  const manifests = await unlessMissing(stat(path.join(store, 'manifests')));
  if (manifests === undefined || !manifests.isDirectory()) return 'no-store';
  const place = manifestPath(name);
  const manifest = place === null ? undefined : await unlessMissing(readFile(path.join(store, place)));
  if (place === null || manifest === undefined) return 'absent';
  const listed = readBlobs(manifest);
  if (listed === null) return 'incomplete';
  const blobs = (await Promise.all(listed.map((blob) => findBlob(store, blob)))).filter(
    (blob) => blob !== undefined,
  );
  if (blobs.length < listed.length) return 'incomplete';
  return {
    digest: createHash('sha256').update(manifest).digest('hex'),
    bytes: listed.reduce((sum, { size }) => sum + size, 0),
    manifest,
    manifestPath: place,
    blobs,
  };
}

/** Whether the blobs are where they were. @throws as `readModel` */
export async function isStillThere({ blobs }: StoredModel): Promise<boolean> {
  const files = await Promise.all(blobs.map(({ file }) => unlessMissing(stat(file))));
  return files.every((file) => file !== undefined);
}

/** What to say of models that a store has not got, in one error. */
export function notInStore(
  modelsDir: string,
  missing: readonly (readonly [model: string, why: NotServable])[],
): RagError {
  const models = missing.map(([model]) => model);
  const is = missing.every(([, why]) => why === 'incomplete') ? 'not complete in' : 'not in';
  return new RagError(
    'preflight',
    `Cannot serve ${models.join(' and ')}: ${is} the model store ${modelsDir}, a complete model is wanted`,
    { hint: models.map((model) => `ollama pull ${model}`).join(' && ') },
  );
}

/** A file server that does not answer has lost nothing. */
async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

/** The layers and the configuration; null when the file is not a manifest. */
function readBlobs(bytes: Buffer): Blob[] | null {
  try {
    const { config, layers } = JSON.parse(bytes.toString()) as { config?: unknown; layers?: unknown };
    const blobs: unknown[] = [...(Array.isArray(layers) ? (layers as unknown[]) : []), config];
    return blobs.every(isBlob) ? blobs : null;
  } catch {
    return null;
  }
}

const isBlob = (value: unknown): value is Blob =>
  typeof value === 'object' &&
  value !== null &&
  'digest' in value &&
  /^sha256:[0-9a-f]{64}$/.test(String(value.digest)) &&
  'size' in value &&
  typeof value.size === 'number';

/** Its file has a `-` after sha256; early versions wrote a colon, and a server renames it when it starts. */
async function findBlob(store: string, { digest, size }: Blob): Promise<StoredBlob | undefined> {
  for (const name of [digest.replace(':', '-'), digest]) {
    const file = path.join(store, 'blobs', name);
    const found = await unlessMissing(stat(file));
    if (found?.size === size) return { digest, file };
  }
  return undefined;
}
