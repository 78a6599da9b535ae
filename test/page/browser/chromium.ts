/** A real browser, where the machine has one: Debian's package, driven over its own protocol. Nothing is downloaded. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const program = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));
const built = existsSync(join(import.meta.dirname, '../../../dist/page/browser/main.js'));

/** For `test`: why there can be none. */
export const needsBrowser = {
  skip:
    program === undefined ? 'no browser: apt-get install chromium' : built ? false : 'npm run build first',
} as const;

export const launch = (): Promise<Browser> =>
  chromium.launch({
    ...(program !== undefined && { executablePath: program }),
    // Its sandbox does not work for root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });

export interface Tab extends AsyncDisposable {
  readonly page: Page;
  /** What the browser complained about: its policy, errors of scripts. Asserted to be nothing at the end. */
  readonly complaints: string[];
}

/** Answers with an error status are meant to be seen by the page, and the browser tells of each. */
const isExpected = (text: string): boolean =>
  /^Failed to load resource: (?:the server responded|net::ERR_)/.test(text);

export async function openTab(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !isExpected(message.text()))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return {
    page,
    complaints,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      assert.deepEqual(complaints, []);
    },
  };
}

/** What is in the way of somebody who reads with ears or keys, by the rules of WCAG 2.2 AA. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 160) + ' ' + failureSummary)))`,
  );
}

/** Nothing may stand out of the page sideways: on a phone nobody finds it. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** For people: `SCREENSHOTS=/tmp/shots node --test test/page/browser/*.test.ts`. */
export async function keepScreenshot(page: Page, name: string): Promise<Buffer> {
  const folder = process.env['SCREENSHOTS'];
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  return page.screenshot({
    fullPage: true,
    ...(folder !== undefined && { path: join(folder, `${name}.png`) }),
  });
}

/** From then on the page hears its reader. */
export const untilLive = (page: Page): Promise<void> =>
  page.locator('.connection').getByText('Live').waitFor();
