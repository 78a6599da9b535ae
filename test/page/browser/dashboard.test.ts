import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Example } from '../example.ts';
import { barriers, keepScreenshot, launch, needsBrowser, openTab, overflow, untilLive } from './chromium.ts';
import { openJob } from './job.ts';

let browser: Browser;
before(async () => {
  if (needsBrowser.skip === false) browser = await launch();
});
after(() => browser?.close());

const phone = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const looks = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', ...phone },
  'dark phone': { colorScheme: 'dark', ...phone },
} as const;

for (const [look, options] of Object.entries(looks)) {
  test(
    `during an ingest, ${look}: progress and time are seen, nothing stands out of the page, nothing bars the way`,
    needsBrowser,
    async () => {
      const example = (): Example => ({ phase: 'ingest', postponed: true });
      await using endpoint = await openJob({ example });
      await using tab = await openTab(browser, endpoint.url, options);
      const { page } = tab;
      await page.getByText('61,240').waitFor();
      assert.match(
        await page.locator('main').innerText(),
        /About 1 h 59 min left|About \d+ min left; the job ends in 3 h 12 min/,
      );
      assert.equal(await page.getByRole('progressbar').getAttribute('value'), '61240');
      assert.equal(await page.getByRole('button', { name: 'Ask' }).isDisabled(), true);
      assert.match(await page.locator('.ask').innerText(), /starts when everything is ingested/);
      assert.equal(await overflow(page), 0);
      assert.deepEqual(await barriers(page), []);
      assert.ok((await keepScreenshot(page, `ingest ${look}`)).length > 20_000);
      const [background, ink] = await page.evaluate<[string, string]>(
        '[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]',
      );
      const light = (color: string): boolean => Number(/\d+/.exec(color)?.[0]) > 128;
      assert.deepEqual(
        [light(background), light(ink)],
        options.colorScheme === 'light' ? [true, false] : [false, true],
      );
    },
  );

  test(
    `after an answer, ${look}: it stands with its passages, and nothing bars the way`,
    needsBrowser,
    async () => {
      await using endpoint = await openJob();
      await using tab = await openTab(browser, endpoint.url, options);
      const { page } = tab;
      await untilLive(page);
      await page.getByLabel('Your question').fill('Why was the turbine replaced?');
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.getByRole('heading', { name: 'Passages' }).waitFor();
      await page.getByRole('link', { name: 'passage 1' }).click();
      assert.ok(await page.getByText('after its bearings had worn through').first().isVisible());
      assert.match(
        await page.locator('.answer').innerText(),
        /1 sentence underlined: not found in the passage cited/,
      );
      assert.equal(await page.locator('.said .doubt').first().innerText(), 'It was painted green ');
      assert.match(await page.locator('#announcer').innerText(), /The answer is complete/);
      assert.equal(await overflow(page), 0);
      assert.deepEqual(await barriers(page), []);
      assert.ok((await keepScreenshot(page, `answer ${look}`)).length > 20_000);
    },
  );
}

test(
  'what the server draws is what the browser would draw: nothing changes when it takes over',
  needsBrowser,
  async () => {
    await using endpoint = await openJob();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(`addEventListener('readystatechange', () => {
    const main = document.querySelector('main');
    if (main === null || globalThis.changes !== undefined) return;
    globalThis.changes = [];
    new MutationObserver((records) => globalThis.changes.push(...records.map(({ type, target, attributeName }) =>
      type + ' ' + (target.outerHTML ?? target.parentElement?.outerHTML ?? '').slice(0, 200) + ' ' + attributeName)))
      .observe(main, { subtree: true, childList: true, attributes: true, characterData: true });
  }, true)`);
    await page.goto(endpoint.url);
    await page.waitForResponse((response) => response.url().includes('/picture'));
    await page.waitForResponse((response) => response.url().includes('/picture'));
    await page.getByText('Live').waitFor();
    const changes = await page.evaluate<string[]>('globalThis.changes');
    const ofItsOwn =
      /^childList <p class="connection"|<span class="tone good">|<button type="submit".* disabled$|> class$/;
    assert.deepEqual(
      changes.filter((change) => !ofItsOwn.test(change)),
      [],
    );
    assert.ok(changes.length > 0, 'it was looked at');
    await context.close();
  },
);

test('news are drawn into what is there: what is written, open and focused stays', needsBrowser, async () => {
  let done = 10_000;
  await using endpoint = await openJob({
    example: () => ({ phase: 'ingest' }),
    change: (picture) => ({
      ...picture,
      ingest: picture.ingest && { ...picture.ingest, documentsDone: done },
    }),
  });
  await using tab = await openTab(browser, endpoint.url);
  const { page } = tab;
  await page.getByText('10,000').waitFor();
  await page.locator('.reason-group summary').first().click();
  await page.getByText('Live').waitFor();
  await page.getByLabel('Your question').pressSequentially('half a ques');
  done = 20_000;
  await page.getByText('20,000').waitFor();
  assert.equal(await page.getByLabel('Your question').inputValue(), 'half a ques');
  assert.equal(await page.evaluate('document.activeElement.id'), 'question');
  assert.ok(await page.getByText('scans/1987/report-17.pdf').isVisible());
});

test('a reader who wants no motion gets none', needsBrowser, async () => {
  await using endpoint = await openJob({ example: () => ({ phase: 'ingest' }) });
  for (const [reducedMotion, moving] of [
    ['reduce', false],
    ['no-preference', true],
  ] as const) {
    await using tab = await openTab(browser, endpoint.url, { reducedMotion });
    assert.equal(await tab.page.evaluate('document.getAnimations().length > 0'), moving);
  }
});
