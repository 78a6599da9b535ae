/** The exact search that ours is measured by: C, one thread, as wide as the processor can. */
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Scanned {
  readonly ms: number;
  /** The ten best rows. */
  readonly rows: readonly number[];
}

export interface Scan extends AsyncDisposable {
  /** @param question its number */
  readonly ask: (question: number) => Promise<Scanned>;
}

/** @throws where there is no C compiler: without a yardstick there is no ratio */
export function openScan(
  folder: string,
  matrix: Float32Array,
  questions: Float32Array,
  dimensions: number,
): Scan {
  const program = join(folder, 'scan');
  const source = join(import.meta.dirname, 'scan.c');
  execFileSync('cc', ['-O3', '-march=native', '-ffast-math', '-o', program, source]);
  const files = ['matrix', 'questions'].map((name) => join(folder, `${name}.f32`));
  for (const [at, values] of [matrix, questions].entries()) writeFileSync(files[at] ?? '', values);
  const child = spawn(program, [...files, String(dimensions)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      child.stdin.write(`${question}\n`);
      const { value = '' } = (await lines.next()) as { value?: string };
      const [ms = Number.NaN, ...rows] = value.split(' ').map(Number);
      return { ms, rows };
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}
