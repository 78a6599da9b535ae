/** Two GPUs on which a generator leaves embed servers no room, and a job there. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { SupervisorStatus } from '../../src/job/shown/status.ts';
import { fakeBin } from '../fixtures/fake-ollama/start.ts';

/** Two cards of 80 GiB: qwen3:235b takes nearly all of both. */
const nvidiaSmi = `#!/bin/sh
case "$1" in
  -L) echo 'GPU 0: stand-in'; echo 'GPU 1: stand-in' ;;
  --query-gpu=*) echo '0, GPU-aa, 81920'; echo '1, GPU-bb, 81920' ;;
esac
`;

export interface World {
  readonly folder: string;
  readonly papers: string;
  readonly env: Readonly<Record<string, string>>;
  readonly status: () => SupervisorStatus | undefined;
  readonly url: () => string | undefined;
  /** CUDA_VISIBLE_DEVICES of each server that was started, sorted. */
  readonly gpusSeen: () => string[];
}

/** @param root a folder of the test file */
export const makeWorldIn =
  (root: string) =>
  (name: string, files: number, more: Readonly<Record<string, string>> = {}): World => {
    const folder = join(root, name);
    const [papers, bin, record] = ['papers', 'bin', 'record'].map((each) => join(folder, each));
    assert.ok(papers !== undefined && bin !== undefined && record !== undefined);
    for (const each of [papers, bin, record]) mkdirSync(each, { recursive: true });
    writeFileSync(join(bin, 'nvidia-smi'), nvidiaSmi, { mode: 0o755 });
    for (let at = 0; at < files; at += 1)
      writeFileSync(join(papers, `${at}.md`), `# Report ${at}\n\nThe turbine of harbour ${at} is green.\n`);
    const runtime = join(folder, 'shared/runtime');
    return {
      folder,
      papers,
      env: {
        PATH: [bin, process.env['PATH']].join(delimiter),
        CUDA_VISIBLE_DEVICES: '0,1',
        RAG_ENGINE: 'ollama',
        OLLAMA_BIN: fakeBin,
        OLLAMA_MODELS: join(folder, 'no-store'),
        RERANKER_BACKEND: 'none',
        RAG_SHARED_ROOT: join(folder, 'shared'),
        LOG_ROOT: join(folder, 'logs'),
        TMPDIR: folder,
        FAKE_OLLAMA_RECORD: record,
        FAKE_EMBED_MS: '60',
        LAYOUT_TEST: folder,
        ...more,
      },
      status: () => readIn(join(runtime, 'supervisors')) as SupervisorStatus | undefined,
      url: () => (readIn(join(runtime, 'ollama_service.json')) as { url: string } | undefined)?.url,
      gpusSeen: () =>
        readdirSync(record)
          .map(
            (file) =>
              JSON.parse(readFileSync(join(record, file), 'utf8')) as {
                argv: string[];
                env: Record<string, string>;
              },
          )
          .filter(({ argv }) => argv[0] === 'serve')
          .map(({ env }) => env['CUDA_VISIBLE_DEVICES'] ?? 'unset')
          .toSorted(),
    };
  };

/** A file, or the newest in a folder. */
function readIn(path: string): unknown {
  try {
    const file = path.endsWith('.json')
      ? path
      : join(
          path,
          readdirSync(path)
            .filter((name) => name.endsWith('.json'))
            .sort()
            .at(-1) ?? '',
        );
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  } catch {
    return undefined; // it is being written
  }
}
