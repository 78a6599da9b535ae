/** How soon does somebody who opens the dashboard see it? In a real browser, on loopback. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { openJob } from '../test/page/browser/job.ts';
import { launch, needsBrowser } from '../test/page/browser/chromium.ts';
import { openScratch, startProgram } from './program.ts';
import { quantile, report } from './results.ts';

const rounds = 15;

interface Paint {
  readonly firstMs: number;
  readonly contentMs: number;
}

/** Since the navigation began, as the browser itself tells. */
async function paintOf(page: Page): Promise<Paint> {
  const told = await page.evaluate<[number, number]>(`new Promise((resolve) => {
    const read = () => ['first-paint', 'first-contentful-paint'].map((name) => performance.getEntriesByName(name)[0]?.startTime);
    const look = () => read().every((time) => time !== undefined) ? resolve(read()) : setTimeout(look, 5);
    look();
  })`);
  return { firstMs: told[0], contentMs: told[1] };
}

/** Cold: nothing is kept, no connection stands. Warm: the same tab again. */
async function measure(
  browser: Browser,
  url: string,
): Promise<{ readonly cold: Paint[]; readonly warm: Paint[] }> {
  const cold: Paint[] = [];
  const warm: Paint[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    await page.goto(url);
    cold.push(await paintOf(page));
    await page.reload();
    warm.push(await paintOf(page));
    await context.close();
  }
  return { cold, warm };
}

async function ofRunningProgram(browser: Browser): ReturnType<typeof measure> {
  using scratch = openScratch();
  const program = startProgram(['run', '--mode', 'serve'], { folder: scratch.path });
  const file = join(scratch.path, 'runtime/ollama_service.json');
  while (!existsSync(file)) await sleep(20);
  const { url } = JSON.parse(readFileSync(file, 'utf8')) as { url: string };
  try {
    return await measure(browser, url);
  } finally {
    program.stop();
    await program.ended;
  }
}

if (needsBrowser.skip !== false) throw new Error(`Cannot measure the dashboard: ${needsBrowser.skip}`);
const browser = await launch();
// The browser's own start is not the page's.
await (await browser.newPage()).goto('about:blank');
const running = await ofRunningProgram(browser);
await using job = await openJob();
const long = await measure(browser, job.url);
const bytes = (await (await fetch(job.url, { headers: { accept: 'text/html' } })).text()).length;
await browser.close();

const firsts = (paints: readonly Paint[]): number[] => paints.map(({ firstMs }) => firstMs);
const median = (values: readonly number[]): number => quantile(values, 0.5);
report(
  import.meta.url,
  'How soon does somebody who opens the dashboard see it? First paint in headless Chromium on loopback, from the start of the navigation.',
  [
    {
      what: 'a job that has just started, cold',
      value: median(firsts(running.cold)),
      unit: 'ms',
      atMost: 200,
    },
    { what: 'the same, slowest', value: Math.max(...firsts(running.cold)), unit: 'ms' },
    { what: 'the same, warm', value: median(firsts(running.warm)), unit: 'ms', atMost: 200 },
    {
      what: 'a long job (600 points, 4 GPUs, 34 documents set aside), cold',
      value: median(firsts(long.cold)),
      unit: 'ms',
      atMost: 200,
    },
    { what: 'the same, slowest', value: Math.max(...firsts(long.cold)), unit: 'ms' },
    { what: 'the same, warm', value: median(firsts(long.warm)), unit: 'ms', atMost: 200 },
    {
      what: 'first text or drawing of it, cold',
      value: median(long.cold.map(({ contentMs }) => contentMs)),
      unit: 'ms',
    },
    { what: 'its page, before any script', value: bytes / 1000, unit: 'kB' },
  ],
  [
    `Median of ${rounds}. Cold: a new profile, nothing kept, no connection. Warm: the same tab again.`,
    'The job that has just started is the whole program; the long one is its endpoint before a made-up picture.',
  ],
);
