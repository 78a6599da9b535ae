import { fileURLToPath } from 'node:url';

/**
 * Path of a module beside this one, for threads and forks that need a file: `.ts` when running from source,
 * `.js` when built (the compiler rewrites import statements, not strings).
 *
 * @param from `import.meta.url` of the caller
 * @param name file name without extension, relative to the caller
 */
export const siblingPath = (from: string, name: string): string =>
  fileURLToPath(new URL(`${name}${from.slice(from.lastIndexOf('.'))}`, from));
