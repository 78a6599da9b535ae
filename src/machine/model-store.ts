import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** A model that is complete on disk. */
export interface StoredModel {
  /** sha256 of the manifest, as the server's `/api/tags` tells it. */
  readonly digest: string;
  /** Weights and all else that is loaded with them. */
  readonly bytes: number;
}

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
 * Looks into the model store without a server, as before a submission. A model with a blob missing or of
 * another size counts as absent: a pull that was cut leaves such a one.
 */
export async function readModel(
  modelsDir: string,
  name: string,
): Promise<'absent' | 'no-store' | StoredModel> {
  const store = await stat(path.join(modelsDir, 'manifests')).catch(() => null);
  if (!store?.isDirectory()) return 'no-store';
  const manifest = manifestPath(name);
  const bytes = manifest === null ? null : await readFile(path.join(modelsDir, manifest)).catch(() => null);
  const blobs = bytes === null ? null : readBlobs(bytes);
  if (bytes === null || blobs === null) return 'absent';
  const there = await Promise.all(blobs.map((blob) => isWhole(modelsDir, blob)));
  if (!there.every(Boolean)) return 'absent';
  return {
    digest: createHash('sha256').update(bytes).digest('hex'),
    bytes: blobs.reduce((sum, { size }) => sum + size, 0),
  };
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

async function isWhole(modelsDir: string, { digest, size }: Blob): Promise<boolean> {
  const file = await stat(path.join(modelsDir, 'blobs', digest.replace(':', '-'))).catch(() => null);
  return file?.size === size;
}
