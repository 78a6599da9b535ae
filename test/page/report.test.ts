import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Parser } from 'htmlparser2';
import { makeReportPage } from '../../src/job/picture/report-page.ts';
import type { Picture } from '../../src/page/picture.ts';
import { style } from '../../src/page/style/sheet.ts';
import { examplePicture } from './example.ts';

const ended = (): Picture => ({
  ...examplePicture({ phase: 'draining', outcome: { exit: 0, reason: 'done' } }),
  settings: [['RAG_TOPK', '5']],
});

function readHtml(html: string): { readonly tags: string[]; readonly text: string } {
  const tags: string[] = [];
  let [text, inStyle] = ['', false];
  const parser = new Parser({
    onopentag: (name, attributes) => {
      inStyle = name === 'style';
      tags.push([name, ...Object.keys(attributes)].join(' '));
    },
    ontext: (piece) => void (inStyle || (text += piece)),
    onclosetag: () => void (inStyle = false),
  });
  parser.end(html);
  return { tags, text };
}

const attack = `<img src=x onerror=alert(1)></script><script>alert(1)</script>"'><style>*{}</style>&`;

/** The same picture with the attack behind every text that does not choose how something is drawn. */
const attacked = <T>(value: T, key = ''): T => {
  const chooses = ['phase', 'state', 'what', 'id', 'token', 'seen', 'run'].includes(key);
  if (typeof value === 'string') return (chooses ? value : `${value}${attack}`) as T;
  if (Array.isArray(value)) return value.map((each) => attacked(each as unknown, key)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, attacked(each as unknown, name)]),
  ) as T;
};

test('text of documents, reasons and settings never becomes markup: the report has the same tags as without it', () => {
  const [plain, hostile] = [readHtml(makeReportPage(ended())), readHtml(makeReportPage(attacked(ended())))];
  assert.deepEqual(hostile.tags, plain.tags);
  assert.ok(hostile.text.includes(attack));
  for (const tag of plain.tags)
    assert.doesNotMatch(tag, /^(?:script|img|iframe|link .*stylesheet)|\bon\w+|\bstyle\b.+/);
});

test('the report loads nothing and runs nothing, and its policy lets exactly its own style in', () => {
  const html = makeReportPage(ended());
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
  const digest = createHash('sha256').update(style).digest('base64');
  assert.ok(policy.startsWith(`default-src &#39;none&#39;; style-src &#39;sha256-${digest}&#39;;`), policy);
  assert.equal(/<style>([^<]*)<\/style>/.exec(html)?.[1], style);
  assert.doesNotMatch(html, /https?:\/\/(?!www\.w3\.org\/2000\/svg|127\.0\.0\.1)/);
});

test('the report tells of both lives of the job: phases, restarts and their reasons, GPUs, failures, settings', () => {
  const { text } = readHtml(makeReportPage(ended()));
  for (const words of [
    'Ended with 0: done',
    '3 h 10 min in 2 runs',
    'GPU-hours allocated',
    '12.7',
    'was ended by SIGKILL: the runner ran out of memory',
    'node17',
    'node21',
    '75: stopped with work left',
    'letters/2004/salaries.xlsx',
    'RAG_TOPK',
    'qwen3:235b',
    'Idle: less than 5 %',
  ])
    assert.ok(text.includes(words), words);
});

test('a job of which hardly anything is known has a report as well', () => {
  const picture = ended();
  const nothing: Picture = {
    ...picture,
    services: [],
    gpus: [],
    ingest: null,
    failures: { count: 0, listed: [] },
    runs: [],
    series: null,
    settings: [],
  };
  const { text } = readHtml(makeReportPage(nothing));
  assert.ok(text.includes('Nothing has happened yet'), text);
});
