import { hash } from 'node:crypto';
import { readWhole } from './read.ts';

export interface HashOrder {
  readonly paths: readonly string[];
  readonly maxFileBytes: number;
}

/** Runs in a parsing thread. Null for a file that cannot be read: whoever parses it says why. */
export default function hashTask({ paths, maxFileBytes }: HashOrder): (string | null)[] {
  return paths.map((path) => {
    try {
      return hash('sha256', readWhole(path, maxFileBytes));
    } catch {
      return null;
    }
  });
}
