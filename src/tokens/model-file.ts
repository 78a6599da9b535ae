/** Where the weights of a model are, for its tokenizer. */
import { messageOf } from '../errors.ts';
import { readModel } from '../machine/model-store.ts';

const weights = 'application/vnd.ollama.image.model';

/** The file in the model store, or why there is none to read. Never rejects: a count of tokens may be an estimate. */
export async function findModelFile(
  modelsDir: string,
  model: string,
): Promise<string | { readonly missing: string }> {
  try {
    const stored = await readModel(modelsDir, model);
    if (typeof stored === 'string') return { missing: `${model} is not in ${modelsDir}` };
    const { layers } = JSON.parse(stored.manifest.toString()) as {
      layers?: readonly { readonly mediaType?: unknown; readonly digest?: unknown }[];
    };
    const digest = layers?.find(({ mediaType }) => mediaType === weights)?.digest;
    const file = stored.blobs.find((blob) => blob.digest === digest)?.file;
    return file ?? { missing: `${model} names no weights` };
  } catch (error) {
    return { missing: messageOf(error) };
  }
}
