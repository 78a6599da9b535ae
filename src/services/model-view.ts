import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isStillThere, notInStore, readModel } from '../machine/model-store.ts';
import type { StoredModel } from '../machine/model-store.ts';

/**
 * A model store for one server that shows one model of the shared store: the manifest is a copy, the blobs are
 * symbolic links. Ollama's API has no password, and whoever reaches it may delete, copy and create; without
 * OLLAMA_NOPRUNE a start deletes what no manifest names. All of that removes links and writes into this folder.
 * Through a link it only ever reads, but for one thing: creating a model from a blob sets that blob's time.
 *
 * What is served is fixed by the first call: a model that is pulled anew meanwhile has other vectors, and a run
 * must not change models at a restart. Each later call makes the folder anew, as good as before.
 *
 * @param folder where it is made; nothing else may be in it
 * @returns lays it out, before each start. A store that is not there gives an empty one: the server says the rest.
 *   It throws preflight for a model that is not complete, and the file system's error when the store cannot be read
 */
export function makeModelView(modelsDir: string, model: string, folder: string): () => Promise<void> {
  let fixed: StoredModel | undefined;
  return async () => {
    if (fixed === undefined) {
      const found = await readModel(modelsDir, model);
      if (found === 'absent' || found === 'incomplete') throw notInStore(modelsDir, [[model, found]]);
      if (found !== 'no-store') fixed = found;
    } else if (!(await isStillThere(fixed))) {
      // Pulled anew, or deleted: what began with this model cannot go on.
      throw notInStore(modelsDir, [[model, 'incomplete']]);
    }
    await rm(folder, { recursive: true, force: true });
    if (fixed !== undefined) await lay(folder, fixed);
  };
}

async function lay(folder: string, { manifest, manifestPath, blobs }: StoredModel): Promise<void> {
  const copy = path.join(folder, manifestPath);
  await mkdir(path.dirname(copy), { recursive: true, mode: 0o700 });
  await writeFile(copy, manifest);
  const links = path.join(folder, 'blobs');
  await mkdir(links, { mode: 0o700 });
  // One layer may be listed twice.
  const files = new Map(blobs.map(({ digest, file }) => [digest.replace(':', '-'), file]));
  await Promise.all([...files].map(([name, file]) => symlink(file, path.join(links, name))));
}
