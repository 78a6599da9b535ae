import { existsSync, readFileSync } from 'node:fs';

export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Made by scripts/package.sh: nothing of it can be installed or built anew where it lies. */
export const isRelease = (): boolean => existsSync(new URL('../MANIFEST', import.meta.url));
