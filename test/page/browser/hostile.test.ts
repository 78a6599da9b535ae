/** Documents, models and programs that want to be more than text. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { makeReportPage } from '../../../src/job/picture/report-page.ts';
import type { Picture } from '../../../src/page/picture.ts';
import { examplePicture } from '../example.ts';
import { barriers, keepScreenshot, launch, needsBrowser, openTab, untilLive } from './chromium.ts';
import { answerOf, citation, openJob, speak } from './job.ts';

let browser: Browser;
before(async () => {
  if (needsBrowser.skip === false) browser = await launch();
});
after(() => browser?.close());

const image = '<img src=x onerror="document.documentElement.dataset.owned=1">';
const script = '</script><script>document.documentElement.dataset.owned=1</script>';
const frame = `"><iframe srcdoc='<script>parent.document.documentElement.dataset.owned=1</script>'></iframe>`;
const all = `${image}${script}${frame}`;

async function assertHarmless(page: Page): Promise<void> {
  assert.equal(await page.evaluate('document.documentElement.dataset.owned'), undefined);
  assert.equal(await page.locator('main img, main script, main iframe, main style').count(), 0);
}

const attacked = (picture: Picture): Picture => ({
  ...picture,
  job: { ...picture.job, name: `48151${all}`, node: all },
  warnings: [all],
  services: picture.services.map((service) => ({ ...service, reason: all, notes: [all], model: all })),
  failures: {
    count: 2,
    listed: [
      { document: image, state: 'failed', reason: script },
      { document: frame, state: 'needs_ocr', reason: all },
    ],
  },
  runs: picture.runs.map((run) => ({
    ...run,
    services: run.services.map((service) => ({
      ...service,
      spans: service.spans.map((span) => ({ ...span, reason: all })),
    })),
  })),
});

test('names, reasons and warnings of a job are shown as they are, and do nothing', needsBrowser, async () => {
  await using endpoint = await openJob({ change: attacked });
  await using tab = await openTab(browser, endpoint.url);
  const { page } = tab;
  await page.waitForResponse((response) => response.url().includes('/picture'));
  assert.equal(await page.locator('.reason-group li').first().innerText(), image);
  assert.match(await page.title(), /<img src=x/);
  await page.locator('.events summary').click();
  await assertHarmless(page);
});

test(
  'questions, answers, titles and texts of passages are shown as they are, and do nothing',
  needsBrowser,
  async () => {
    const record = answerOf('', {
      answer: `${all} [1] \u202Edesrever\u202C [2](javascript:alert(1))`,
      citations: [citation(1, { title: image, text: `${script}\u0007`, file: frame })],
      sentences: [{ text: `${all} [1]`, cites: [1], support: 'unsupported' }],
      model: all,
    });
    await using endpoint = await openJob({ query: (request) => speak(request, record) });
    await using tab = await openTab(browser, endpoint.url);
    const { page } = tab;
    await untilLive(page);
    await page.getByLabel('Your question').fill(all);
    await page.keyboard.press('Enter');
    await page.locator('.passages').waitFor();
    await page.getByRole('link', { name: 'passage 1' }).click();
    assert.equal(await page.locator('.asked').innerText(), all);
    assert.equal(await page.locator('.passage .title').innerText(), image);
    assert.equal(await page.locator('.passage-text').innerText(), script);
    assert.match(await page.locator('.said').innerText(), /desrever \[2\]\(javascript:alert\(1\)\)/);
    assert.equal(await page.locator('main a:not([href^="#"])').count(), 0);
    await assertHarmless(page);
  },
);

test('even markup that got into the page could run nothing and send nothing', needsBrowser, async () => {
  await using endpoint = await openJob();
  const tab = await openTab(browser, endpoint.url);
  const { page } = tab;
  await page.waitForResponse((response) => response.url().includes('/picture'));
  // As if a view had made a mistake: trusted types refuse the very attempt.
  const tried = await page.evaluate(
    `(() => { try { document.body.innerHTML += ${JSON.stringify(image)}; return 'made'; } catch (error) { return error.name; } })()`,
  );
  assert.equal(tried, 'TypeError');
  const sent = await page.evaluate(`fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)`);
  assert.equal(sent, 'TypeError');
  await page.evaluate(
    `document.body.append(Object.assign(document.createElement('style'), { textContent: 'body { color: red !important }' }))`,
  );
  assert.notEqual(await page.evaluate('getComputedStyle(document.body).color'), 'rgb(255, 0, 0)');
  assert.equal(
    tab.complaints.filter((text) => /Content Security Policy|TrustedHTML|content security/i.test(text))
      .length >= 2,
    true,
    tab.complaints.join('\n'),
  );
  tab.complaints.length = 0;
  await tab[Symbol.asyncDispose]();
});

for (const colorScheme of ['light', 'dark'] as const)
  test(
    `the report is opened from disk, ${colorScheme}: it needs nothing else, runs nothing, and bars nobody`,
    needsBrowser,
    async () => {
      await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-report-'));
      const file = join(folder.path, 'report.html');
      const picture = examplePicture({ phase: 'draining', outcome: { exit: 0, reason: 'done' } });
      await writeFile(
        file,
        makeReportPage({ ...picture, failures: attacked(picture).failures, warnings: [all] }),
      );
      const requests: string[] = [];
      await using tab = await openTab(browser, 'about:blank', { colorScheme });
      const { page } = tab;
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(pathToFileURL(file).href);
      assert.deepEqual(
        requests.filter((url) => !url.startsWith('data:')),
        [pathToFileURL(file).href],
      );
      await page.getByRole('heading', { name: 'Job 48151' }).waitFor();
      assert.notEqual(
        await page.evaluate('getComputedStyle(document.body).margin'),
        '8px',
        'its style is let in',
      );
      assert.equal(await page.locator('.drawing path.line').first().isVisible(), true);
      await assertHarmless(page);
      assert.deepEqual(await barriers(page), []);
      await keepScreenshot(page, `report ${colorScheme}`);
    },
  );
