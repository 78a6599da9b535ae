/** Counts the rows of an index against what they say of each other. Pure. */
import { shellWord } from '../../observe/terminal.ts';
import { isPending, isRemoved, isShown, type Ledger } from '../ledger.ts';
import type { StoredRow } from '../write/rows.ts';
import type { Problem, Verification } from './verify.ts';

export interface Inventory {
  add(row: StoredRow, place: 'main' | 'shard'): void;
  sum(): Pick<Verification, 'documents' | 'chunks' | 'pending' | 'problems'>;
}

/** One version of a document, from all tables together. */
interface Version {
  /** How many chunks it should have. */
  readonly of: number;
  /** By ordinal, how often main has it; 0 for one that only a shard has. */
  readonly inMain: Map<number, number>;
}

const named = 3;

/** Holds some 100 bytes a document and 20 a chunk. */
export function makeInventory(ledger: Ledger): Inventory {
  const shown = new Map<string, Version>();
  let pending = 0;
  return {
    add: (row, place) => {
      const [document, hash] = [String(row['document']), String(row['hash'])];
      const version = { document, hash, version: Number(row['version']) };
      if (!isShown(ledger, version, place)) {
        if (place === 'shard' && isPending(ledger.get(document), version)) pending += 1;
        return;
      }
      const known = shown.get(document) ?? { of: Number(row['chunks']), inMain: new Map<number, number>() };
      const ordinal = Number(row['ordinal']);
      known.inMain.set(ordinal, (known.inMain.get(ordinal) ?? 0) + (place === 'main' ? 1 : 0));
      shown.set(document, known);
    },
    sum: () => {
      const all = [...shown];
      const headless = all.filter(([, { inMain }]) => !inMain.has(0));
      const short = all.filter(([, { of, inMain }]) => inMain.has(0) && inMain.size !== of);
      const twice = all.filter(([, { inMain }]) => [...inMain.values()].some((count) => count > 1));
      const lost = [...ledger].filter(([document, complete]) => !isRemoved(complete) && !shown.has(document));
      return {
        documents: all.length - headless.length,
        chunks: all.reduce((sum, [, { inMain }]) => sum + (inMain.has(0) ? inMain.size : 0), 0),
        pending,
        problems: [
          ...problemOf(headless, 'have chunks in main and no first one'),
          ...problemOf(short, 'have not all of their chunks'),
          ...problemOf(twice, 'have chunks twice in main'),
          ...problemOf(lost, 'are complete by the ledger and have no chunk'),
        ],
      };
    },
  };
}

function problemOf(found: readonly (readonly [string, unknown])[], what: string): Problem[] {
  if (found.length === 0) return [];
  const names = found.slice(0, named).map(([document]) => document);
  const more = found.length > named ? ' ...' : '';
  return [
    {
      problem: `${found.length} documents ${what}: ${names.join(', ')}${more}`,
      mend: `node dist/supervisor.js index remove --yes ${names.map(shellWord).join(' ')}${more}   # then ingest them again`,
    },
  ];
}
