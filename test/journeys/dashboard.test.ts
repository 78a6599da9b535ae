/** A job of two lives, seen by somebody who keeps its dashboard open and reads its report in the end. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { SupervisorStatus } from '../../src/job/shown/status.ts';
import { send } from '../faults/world.ts';
import { fakeBin } from '../fixtures/fake-ollama/start.ts';
import {
  barriers,
  keepScreenshot,
  launch,
  needsBrowser,
  openTab,
  untilLive,
} from '../page/browser/chromium.ts';
import { processesMarked, type Program, startProgram, until, untilGone } from './program.ts';

let browser: Browser;
before(async () => {
  if (needsBrowser.skip === false) browser = await launch();
});
const folder = mkdtempSync(join(tmpdir(), 'rag-dashboard-'));
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** Two cards, the first at work. */
const nvidiaSmi = `#!/bin/sh
case "$1" in
  -L) echo 'GPU 0: stand-in'; echo 'GPU 1: stand-in' ;;
  --query-gpu=index,uuid,memory.total) echo '0, GPU-aa, 81920'; echo '1, GPU-bb, 81920' ;;
  --query-gpu=*) echo '0, GPU-aa, 87, 71680, 81920, Stand-in 80GB'; echo '1, GPU-bb, 0, 512, 81920, Stand-in 80GB' ;;
esac
`;
const [papers, bin, logs] = ['papers', 'bin', 'logs'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const runtime = join(folder, 'shared/runtime');
const hostileName = '<img src=x onerror=document.documentElement.dataset.owned=1>.pdf';

/** The same job each time: its second life is a requeue. */
const env = {
  PATH: [bin, process.env['PATH']].join(delimiter),
  SLURM_JOB_ID: '48151',
  SLURM_RESTART_COUNT: '0',
  CUDA_VISIBLE_DEVICES: '0,1',
  RAG_ENGINE: 'ollama',
  OLLAMA_BIN: fakeBin,
  OLLAMA_MODELS: join(folder, 'no-store'),
  RERANKER_BACKEND: 'none',
  RAG_SHARED_ROOT: join(folder, 'shared'),
  LOG_ROOT: logs,
  TMPDIR: folder,
  RAG_WATCH_SECONDS: '0',
  DASHBOARD_TEST: folder,
};

const start = (more: Readonly<Record<string, string>>): Program =>
  startProgram(['run', '--mode', 'serve', '--input-file', papers], { env: { ...env, ...more } });

/** It listens before everything is ready. */
async function untilUp(program: Program): Promise<string> {
  const ended = program.ended.then(({ code, stderr }): never =>
    assert.fail(`it ended with ${code}:\n${stderr}`),
  );
  ended.catch(() => undefined);
  const file = join(runtime, 'ollama_service.json');
  return Promise.race([
    ended,
    until('the service', 60_000, () =>
      existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { url: string }).url : undefined,
    ),
  ]);
}

async function stop(program: Program): Promise<number | null> {
  process.kill(program.pid, 'SIGTERM');
  return (await program.ended).code;
}

test(
  'two lives of a job on the dashboard and in the report, with everything that a document may try',
  needsBrowser,
  async () => {
    for (const each of [papers, bin]) mkdirSync(each, { recursive: true });
    writeFileSync(join(bin, 'nvidia-smi'), nvidiaSmi, { mode: 0o755 });
    for (let at = 0; at < 120; at += 1)
      writeFileSync(
        join(papers, `${String(at).padStart(3, '0')}.md`),
        `# Report ${at}\n\nThe turbine of harbour ${at} is green.\n`,
      );
    writeFileSync(
      join(papers, '0.html.md'),
      '# </script><script>document.documentElement.dataset.owned=1</script>\n\nThe lantern </script><img src=x onerror=document.documentElement.dataset.owned=1> of the pier is violet.\n',
    );
    writeFileSync(join(papers, hostileName), '%PDF-1.7 and nothing more');
    try {
      const first = start({ FAKE_EMBED_MS: '500' });
      const url = await untilUp(first);
      {
        await using tab = await openTab(browser, url);
        const { page } = tab;
        await page.locator('.facts').getByText('Ingesting').waitFor();
        await page.getByText('87 % in use').waitFor({ timeout: 60_000 });
        assert.match(await page.locator('.ask').innerText(), /starts when everything is ingested/);
        await page.getByText(hostileName).waitFor();
        assert.match(await page.locator('.services').innerText(), /ollama-embed-1[\s\S]*ready/);
        assert.deepEqual(await barriers(page), []);
        await keepScreenshot(page, 'journey ingest');
        assert.equal(await stop(first), 75);
        await page.getByText('Connection lost.', { exact: true }).first().waitFor();
      }

      const second = start({ SLURM_RESTART_COUNT: '1' });
      await using tab = await openTab(browser, await untilUp(second));
      const { page } = tab;
      await page.locator('.facts').getByText('Answering').waitFor({ timeout: 60_000 });
      await page.getByText('in 2 runs').waitFor();
      await untilLive(page);
      await page.getByLabel('Your question').fill('Which colour has the lantern of the pier?');
      await page.keyboard.press('Enter');
      await page.locator('.passages').waitFor({ timeout: 60_000 });
      await page.locator('a.cite').first().click();
      assert.match(await page.locator('.passage-text').first().innerText(), /<img src=x onerror/);
      await page.getByText(hostileName).waitFor();

      const { services } = (await (await fetch(`${page.url()}status`)).json()) as SupervisorStatus;
      const { pid } = services.find(({ id }) => id === 'ollama-embed-ask') ?? assert.fail();
      process.kill(pid ?? assert.fail(), 'SIGKILL');
      await page.getByText('was ended by SIGKILL').first().waitFor({ timeout: 60_000 });
      assert.equal(await page.evaluate('document.documentElement.dataset.owned'), undefined);
      await keepScreenshot(page, 'journey answer');

      // Of the GPUs nothing is told in the first five seconds of a run.
      const metrics = await until('a look at the GPUs', 30_000, async () => {
        const text = await (await fetch(`${page.url()}metrics`)).text();
        return /^rag_gpu_utilization_ratio\{/m.test(text) ? text : undefined;
      });
      assert.match(metrics, /^rag_service_restarts_total\{service="[^"]+"\} 1$/m);
      assert.match(metrics, /^rag_gpu_utilization_ratio\{gpu="0",uuid="GPU-aa"\} 0.87$/m);
      assert.match(metrics, /^rag_question_duration_seconds_count\{stage="total"\} 1$/m);
      assert.match(
        metrics,
        /^rag_http_request_duration_seconds_count\{route="\/query\/stream",method="POST",code="200"\} 1$/m,
      );
      assert.equal(await stop(second), 0);

      const report = join(logs, '48151/report.html');
      await page.goto(pathToFileURL(report).href);
      const text = await page.locator('main').innerText();
      for (const words of [
        /Ended with 0: done/,
        /in 2 runs/,
        /75: stopped with work left/,
        /Requests at|Questions a minute/,
        /GPU-hours allocated/,
        /87 % in use on average/,
        /1 restart or failure/,
      ])
        assert.match(text, words);
      assert.ok(text.includes(hostileName));
      assert.equal(await page.evaluate('document.documentElement.dataset.owned'), undefined);
      assert.deepEqual(await barriers(page), []);
      await keepScreenshot(page, 'journey report');
      const { runs, gpus } = JSON.parse(readFileSync(join(logs, '48151/report.json'), 'utf8')) as {
        runs: { restart: number }[];
        gpus: Record<string, { watched_hours: number }>;
      };
      assert.deepEqual(
        runs.map(({ restart }) => restart),
        [0, 1],
      );
      assert.ok((gpus['GPU-aa']?.watched_hours ?? 0) > 0);
    } finally {
      send('SIGKILL', ...processesMarked('DASHBOARD_TEST', folder).map(({ pid }) => pid));
    }
    await untilGone('DASHBOARD_TEST', folder, 5000);
  },
);
