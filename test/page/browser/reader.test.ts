/** What a reader does: keys alone, questions that go wrong, connections that break, tokens. */
import assert from 'node:assert/strict';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { RagError } from '../../../src/errors.ts';
import { makeTokens } from '../../../src/serve/access/tokens.ts';
import { barriers, keepScreenshot, launch, needsBrowser, openTab, untilLive } from './chromium.ts';
import { answerOf, openJob, speak } from './job.ts';

let browser: Browser;
before(async () => {
  if (needsBrowser.skip === false) browser = await launch();
});
after(() => browser?.close());

const focused = (page: Page): Promise<string> =>
  page.evaluate<string>(
    `(() => { const { id, className, tagName, parentElement } = document.activeElement; return id || parentElement.id || className || tagName; })()`,
  );

test(
  'with keys alone: to the box, a question, to a citation, its passage and back',
  needsBrowser,
  async () => {
    await using endpoint = await openJob();
    await using tab = await openTab(browser, endpoint.url);
    const { page } = tab;
    await untilLive(page);
    await page.keyboard.press('/');
    assert.equal(await focused(page), 'question');
    await page.keyboard.type('Why 1/2');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('and how?');
    assert.equal(await page.getByLabel('Your question').inputValue(), 'Why 1/2\nand how?');
    await page.keyboard.press('Enter');
    await page.locator('.passages').waitFor();
    assert.equal(await focused(page), 'question', 'who asks goes on asking');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'cite');
    await page.keyboard.press('Enter');
    assert.equal(await focused(page), 'passage-1');
    assert.ok(await page.locator('#passage-1 .passage-text').isVisible());
    await page.keyboard.press('Escape');
    assert.equal(await focused(page), 'cite');
    assert.equal(await page.locator('#passage-1 .passage-text').isVisible(), false);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'passage-1', 'in the order of the page');
    await page.keyboard.press('/');
    assert.equal(
      await page.evaluate('getSelection().toString().length > 0 || document.activeElement.selectionEnd > 0'),
      true,
    );
  },
);

test('an answer comes word by word and can be stopped, which ends the work', needsBrowser, async () => {
  const ended = Promise.withResolvers<void>();
  await using endpoint = await openJob({
    query: async ({ signal, ...request }) => {
      request.onText?.('It was ');
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      ended.resolve();
      throw signal.reason;
    },
  });
  await using tab = await openTab(browser, endpoint.url);
  const { page } = tab;
  await untilLive(page);
  await page.getByLabel('Your question').fill('why?');
  await page.keyboard.press('Enter');
  await page.getByText('It was').waitFor();
  assert.equal(await page.locator('#answer').getAttribute('aria-busy'), 'true');
  await page.keyboard.press('Escape');
  await page.getByText('Stopped. What was said is not complete').waitFor();
  await ended.promise;
  assert.equal(await page.locator('#answer').getAttribute('aria-busy'), null);
});

const failing: ReadonlyArray<readonly [string, Parameters<typeof openJob>[0], RegExp]> = [
  [
    'a refusal before the first word',
    { query: () => Promise.reject(new RagError('model-unavailable', 'Cannot generate', { hint: 'status' })) },
    /This could not be answered Cannot generate\s+status/,
  ],
  ['too many questions', { maxQuestions: 0 }, /Too many questions at once .*0 questions are being answered/],
  [
    'an error in the middle of the answer',
    {
      query: async (request) => {
        await speak(request);
        throw new RagError('model-unavailable', 'Cannot go on');
      },
    },
    /painted green \[3\]\.\s+This could not be answered Cannot go on/,
  ],
  [
    'a wait that was announced when it was asked',
    { postponed: () => ({ message: 'Cannot generate yet', hint: 'x', seconds: 40 }) },
    /Not yet Cannot generate yet[\s\S]*best in 40 s/,
  ],
];
for (const [what, options, wanted] of failing)
  test(`${what} is told, and can be asked again`, needsBrowser, async () => {
    await using endpoint = await openJob(options);
    await using tab = await openTab(browser, endpoint.url);
    const { page } = tab;
    await untilLive(page);
    await page.getByLabel('Your question').fill('why?');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    assert.match(await page.locator('.answer').innerText(), wanted);
    assert.deepEqual(await barriers(page), []);
    await keepScreenshot(page, `problem ${what}`);
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByRole('alert').waitFor();
  });

test('an answer whose connection breaks is told to be incomplete', needsBrowser, async () => {
  await using endpoint = await openJob({
    query: async (request) => {
      request.onText?.('Half an ');
      await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
      return answerOf('');
    },
  });
  await using tab = await openTab(browser, endpoint.url);
  const { page } = tab;
  await untilLive(page);
  await page.getByLabel('Your question').fill('why?');
  await page.keyboard.press('Enter');
  await page.getByText('Half an').waitFor();
  await endpoint[Symbol.asyncDispose]();
  await page.getByText('The connection broke before the answer was complete').waitFor();
  assert.match(await page.locator('.answer').innerText(), /Half an/);
});

test(
  'a lost connection is told with the time of what is shown, and found again by itself',
  needsBrowser,
  async () => {
    await using first = await openJob();
    await using tab = await openTab(browser, first.url);
    const { page } = tab;
    await page.getByText('Live').waitFor();
    await first[Symbol.asyncDispose]();
    await page.getByText('Connection lost.', { exact: true }).first().waitFor();
    assert.match(
      await page.locator('.connection').innerText(),
      /What is shown is from 12:12:00 UTC[\s\S]*Try now/,
    );
    assert.match(await page.locator('#announcer').innerText(), /Connection lost/);
    assert.ok(await page.getByText('92,711').first().isVisible(), 'what was known is still there');
    assert.deepEqual(await barriers(page), []);
    await keepScreenshot(page, 'connection lost');
    await using second = await openJob({ port: first.port });
    // It looks by itself, too: then there is nothing to click any more.
    const tried = page.getByRole('button', { name: 'Try now' }).click();
    tried.catch(() => undefined);
    await page.getByText('Live').waitFor();
    assert.equal(second.port, first.port);
  },
);

/** As `ssh -L` makes it. */
async function openTunnel(port: number): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('it works through a tunnel on another local port', needsBrowser, async () => {
  await using endpoint = await openJob();
  await using tunnel = await openTunnel(endpoint.port);
  await using tab = await openTab(browser, tunnel.url);
  const { page } = tab;
  await untilLive(page);
  await page.getByLabel('Your question').fill('why?');
  await page.keyboard.press('Enter');
  await page.locator('.passages').waitFor();
});

const tokens = makeTokens();

test(
  'who is not the owner shows a token, which stays in the tab and goes only in a header',
  needsBrowser,
  async () => {
    await using endpoint = await openJob({ tokens, ownerUid: 54_321 });
    await using tab = await openTab(browser, endpoint.url);
    const { page } = tab;
    const urls: string[] = [];
    page.on('request', (request) => urls.push(request.url() + JSON.stringify(request.postData() ?? '')));
    await page.getByRole('heading', { name: 'A token is wanted' }).waitFor();
    assert.doesNotMatch(await page.content(), /48151|salaries/);
    assert.deepEqual(await barriers(page), []);
    await keepScreenshot(page, 'token');
    await page.locator('button:enabled').waitFor();
    await page.getByRole('textbox', { name: 'Token' }).fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('That token opens nothing here').waitFor();
    await page.getByRole('textbox', { name: 'Token' }).fill(tokens.url);
    await page.keyboard.press('Enter');
    await page.getByText('That token opens nothing here').waitFor();
    await page.getByRole('textbox', { name: 'Token' }).fill(` ${tokens.header}\n`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Job 48151' }).waitFor();
    await untilLive(page);
    await page.getByLabel('Your question').fill('why?');
    await page.keyboard.press('Enter');
    await page.locator('.passages').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Job 48151' }).waitFor();
    assert.deepEqual(
      urls.filter((url) => url.includes(tokens.header)),
      [],
    );
    const kept = await page.evaluate(
      '[localStorage.length, document.cookie, sessionStorage.getItem("rag-token")]',
    );
    assert.deepEqual(kept, [0, '', tokens.header]);
    const other = await page.context().newPage();
    await other.goto(endpoint.url);
    await other.getByRole('heading', { name: 'A token is wanted' }).waitFor();
  },
);

test(
  'a token that is given while another is tried is tried as well, and what is said of the first is no news',
  needsBrowser,
  async () => {
    await using endpoint = await openJob({ tokens, ownerUid: 54_321 });
    await using tab = await openTab(browser, endpoint.url);
    const { page } = tab;
    await page.locator('button:enabled').waitFor();
    const second = Promise.withResolvers<undefined>();
    await page.route(
      '**/picture**',
      async (route) => {
        await second.promise;
        await route.continue();
      },
      { times: 1 },
    );
    for (const token of ['wrong', tokens.header]) {
      await page.getByRole('textbox', { name: 'Token' }).fill(token);
      await page.keyboard.press('Enter');
    }
    second.resolve(undefined);
    await page.getByRole('heading', { name: 'Job 48151' }).waitFor();
  },
);

test(
  'a token that opens nothing any more takes everything of the job from the page',
  needsBrowser,
  async () => {
    await using first = await openJob({ tokens, ownerUid: 54_321 });
    await using tab = await openTab(browser, first.url);
    const { page } = tab;
    await page.locator('button:enabled').waitFor();
    await page.getByRole('textbox', { name: 'Token' }).fill(tokens.header);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Job 48151' }).waitFor();
    await first[Symbol.asyncDispose]();
    await using second = await openJob({ tokens: makeTokens(), ownerUid: 54_321, port: first.port });
    await page.getByText('A service that was started again has a new one').waitFor();
    assert.doesNotMatch(await page.content(), /48151|salaries/);
    assert.equal(second.port, first.port);
  },
);
