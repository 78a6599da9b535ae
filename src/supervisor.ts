#!/usr/bin/env node
/** The door: the right Node first, then signals, one verb, one exit code. */
import { handedOver, handOver, isNewEnough } from './hand-over.ts';

const [script = '', ...words] = process.argv.slice(1);

if (isNewEnough(process.versions.node)) {
  delete process.env[handedOver]; // of this hand-over: what runs below may need one of its own
  const { main } = await import('./commands/main.ts');
  await main(words);
} else {
  process.exitCode = await handOver(script, words, process.env);
  process.exit();
}
