/* oxlint-disable no-underscore-dangle -- PDFium's own names */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PDFiumModule } from '@hyzyla/pdfium';
import { codeOf, messageOf, RagError } from '../errors.ts';

/** The functions we call that the package's types leave out. */
export type Pdfium = Awaited<ReturnType<typeof PDFiumModule>> & {
  _FPDF_InitLibrary(): void;
  _FPDF_GetMetaText(document: number, tag: number, buffer: number, bytes: number): number;
};

type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What we use of it: TypeScript counts it among the things of browsers. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  readonly Instance: new (module: object, imports: Imports) => { readonly exports: object };
};

/** Its memory, which we bound: by itself it takes 2 GiB for a page of 300 kB, then ends with a message on stderr. */
interface Bound {
  maxBytes: number;
  isReached: boolean;
}

interface Loaded {
  readonly lib: Pdfium;
  readonly bound: Bound;
}

const mebibyte = 1024 * 1024;
/** What a document may need beside twice its own size. 3,400 pages of books took 90 MiB at most. */
const workingBytes = 512 * mebibyte;
/** WASM memory never shrinks: after a document that needed more than this we begin with a new one. */
const maxKeptBytes = 256 * mebibyte;

/**
 * PDFium as WASM, one per thread, made on first use (every WASM memory reserves about 10 GB of address space).
 * The package's own classes never close a page, which costs 100 kB for each, and hide the title.
 */
let shared: Loaded | undefined;

/** @param fileBytes of the document that is to be read. @throws bad-document whatever `use` throws */
export async function withPdfium<Result>(fileBytes: number, use: (lib: Pdfium) => Result): Promise<Result> {
  shared ??= await load();
  const { lib, bound } = shared;
  bound.maxBytes = workingBytes + 2 * fileBytes;
  try {
    return use(lib);
  } catch (error) {
    if (codeOf(error) !== undefined) throw error;
    // Anything but a refusal is a trap inside WASM, which leaves its memory in an unknown state.
    shared = undefined;
    throw new RagError(
      'bad-document',
      bound.isReached ? tooLarge(bound) : `its parser died: ${messageOf(error)}`,
    );
  } finally {
    if (lib.HEAPU8.length > maxKeptBytes) shared = undefined;
  }
}

const tooLarge = ({ maxBytes }: Bound): string =>
  `the PDF needs more than ${Math.round(maxBytes / mebibyte)} MiB of memory`;

async function load(): Promise<Loaded> {
  const bound: Bound = { maxBytes: workingBytes, isReached: false };
  const module = await WebAssembly.compile(
    await readFile(fileURLToPath(import.meta.resolve('@hyzyla/pdfium/pdfium.wasm'))),
  );
  const lib = (await PDFiumModule({
    printErr: () => {},
    instantiateWasm(imports: Imports, done: (instance: object) => unknown) {
      const instance = new WebAssembly.Instance(module, boundMemory(imports, bound));
      done(instance);
      return instance.exports;
    },
  } as Parameters<typeof PDFiumModule>[0])) as Pdfium;
  lib._FPDF_InitLibrary();
  return { lib, bound };
}

/** Growing is asked for through an import, which may say no. */
function boundMemory(imports: Imports, bound: Bound): Imports {
  const env = imports['env'] ?? {};
  const grow = env['emscripten_resize_heap'] as (bytes: number) => number;
  const growWithin = (bytes: number): number => {
    // Sizes are unsigned there.
    bound.isReached ||= bytes >>> 0 > bound.maxBytes;
    return bound.isReached ? 0 : grow(bytes);
  };
  return { ...imports, env: { ...env, emscripten_resize_heap: growWithin } };
}
