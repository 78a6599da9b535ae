/** Whether what ships is whole: no file that ships asks for one of its module that was left out. Pure. */
import { posix } from 'node:path';

const asks =
  /\b(?:require|import|require\.resolve)\(\s*(['"`])(\.[^'"`]*)\1|\b(?:from|import)\s*(['"])(\.[^'"]*)\3|new URL\(\s*(['"`])(\.[^'"`]*)\5\s*,\s*import\.meta\.url/g;

const endings = ['', '.js', '.cjs', '.mjs', '.json', '.node', '/index.js', '/index.cjs', '/index.mjs'];

/**
 * @param text of a program
 * @param path of it inside its module
 * @returns what it asks for by a relative path, each with all the paths that Node would try
 */
export const relativeImports = (text: string, path: string): string[][] =>
  [...text.matchAll(asks)]
    .map(([, , required, , imported, , located]) =>
      posix.join(posix.dirname(path), required ?? imported ?? located ?? ''),
    )
    // In a comment: Node runs no TypeScript of modules.
    .filter((target) => !target.endsWith('.ts'))
    .map((target) => endings.map((ending) => posix.normalize(`${target}${ending}`)));

export interface ModuleText {
  /** All of its files. */
  readonly all: ReadonlySet<string>;
  readonly shipped: ReadonlySet<string>;
  /** The text of a program that ships. */
  readonly read: (path: string) => string;
}

/** What is asked for, was there, and does not ship: `Arrow.node.mjs asks for Arrow.dom.mjs`. */
export const leftOutInVain = ({ all, shipped, read }: ModuleText): string[] =>
  [...shipped]
    .filter((path) => /\.[cm]?js$/.test(path))
    .flatMap((path) =>
      relativeImports(read(path), path)
        .filter((places) => !places.some((place) => shipped.has(place)))
        .flatMap((places) => places.filter((place) => all.has(place)).slice(0, 1))
        .map((place) => `${path} asks for ${place}`),
    );
