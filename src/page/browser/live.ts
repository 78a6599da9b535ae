/** The dashboard in the browser: asks for the picture again and again, draws what it knows, and does what the reader wants. */
import { nextAsking, type Asking, type AskingEvent } from '../asking.ts';
import {
  type Connection,
  hiddenEveryMs,
  lookEveryMs,
  nextConnection,
  type ConnectionEvent,
} from '../connection.ts';
import { dashboardView } from '../dashboard.ts';
import type { Picture } from '../picture.ts';
import { ask, look } from './endpoint.ts';
import { draw } from './dom.ts';
import { keepToken, readToken } from './own-token.ts';
import { listen } from './reader.ts';

const announcer = document.getElementById('announcer');
const root = document.createElement('div');

let picture: Picture | null = null;
let connection: Connection = { state: 'connecting' };
let asking: Asking = { state: 'empty' };
let underWay: AbortController | undefined;
let nextLook: ReturnType<typeof setTimeout> | undefined;
let isLooking = false;
/** A token was given while one looked with the one before. */
let isOutdated = false;

/** Once for all that changes before the next frame. */
let isDue = false;
function show(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw(root, [dashboardView({ picture, connection, asking, hears: true, now: Date.now() })]);
  });
}

const say = (words: string): void => {
  if (announcer !== null) announcer.textContent = words;
};

function connected(event: ConnectionEvent): void {
  const before = connection.state;
  connection = nextConnection(connection, event);
  if (connection.state === 'lost' && before !== 'lost') say('Connection lost.');
  if (connection.state === 'live' && before === 'lost') say('Connected again.');
  // Nothing of the job stays on a page that may not see it.
  if (connection.state === 'closed') {
    underWay?.abort();
    [picture, asking] = [null, { state: 'empty' }];
  }
  show();
}

async function lookNow(): Promise<void> {
  clearTimeout(nextLook);
  if (isLooking) return;
  isLooking = true;
  try {
    const looked = await look(picture?.seen ?? '');
    if (isOutdated) {
      // What is said of another token is no news.
    } else if (looked.outcome === 'seen') {
      picture = { ...looked.picture, series: looked.picture.series ?? picture?.series ?? null };
      connected({ event: 'heard' });
    } else connected({ event: 'refused', status: looked.status, withToken: looked.withToken });
  } catch {
    connected({ event: 'failed', at: Date.now(), random: Math.random() });
  }
  isLooking = false;
  if (isOutdated) {
    isOutdated = false;
    await lookNow();
  } else plan();
}

function plan(): void {
  clearTimeout(nextLook);
  if (connection.state === 'closed') return;
  const pauseMs =
    connection.state === 'lost'
      ? Math.max(0, connection.nextAt - Date.now())
      : document.visibilityState === 'hidden'
        ? hiddenEveryMs
        : lookEveryMs;
  nextLook = setTimeout(() => void lookNow(), pauseMs);
}

function happened(event: AskingEvent): void {
  const next = nextAsking(asking, event);
  if (next.state === 'answered' && asking.state !== 'answered') say('The answer is complete.');
  asking = next;
  show();
}

async function askNow(question: string): Promise<void> {
  underWay?.abort();
  const mine = new AbortController();
  underWay = mine;
  happened({ event: 'asked', question });
  try {
    for await (const heard of ask(question, mine.signal)) {
      if (mine.signal.aborted) return;
      if (heard.heard === 'line') happened({ event: 'line', line: heard.line });
      else happened({ event: 'refused', status: heard.status, body: heard.body, seconds: heard.seconds });
    }
  } catch {
    // Told below: a stream that ends without a record was lost, too.
  }
  if (!mine.signal.aborted) happened({ event: 'lost' });
}

listen(document, {
  ask: (question) => void askNow(question),
  again: () => {
    if (asking.state === 'failed') void askNow(asking.question);
  },
  stop: () => {
    if (asking.state !== 'answering') return false;
    happened({ event: 'stopped' });
    underWay?.abort();
    return true;
  },
  reconnect: () => void lookNow(),
  token: (token) => {
    keepToken(token);
    connection = { state: 'connecting' };
    isOutdated = isLooking;
    void lookNow();
  },
});

document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && connection.state !== 'closed') void lookNow();
});
// The seconds until the next try.
setInterval(() => {
  if (connection.state === 'lost') show();
}, 1000);

// What the server has drawn is drawn over by the same views.
const drawn = document.querySelector('main');
if (drawn !== null) {
  drawn.replaceWith(root);
  root.append(drawn);
}
const refused = drawn?.querySelector('.token')?.getAttribute('data-why') ?? null;
if (refused === null || readToken() !== null) void lookNow();
else {
  connection = { state: 'closed', why: refused === 'url-token' ? refused : 'no-token' };
  show();
}
