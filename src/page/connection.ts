/** Whether the page hears of the job, and when it asks again. Pure. */

export type Connection =
  /** Nothing was asked yet. */
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** `tries` in vain since `since`; asked again at `nextAt`. Milliseconds since 1970. */
  | { readonly state: 'lost'; readonly since: number; readonly tries: number; readonly nextAt: number }
  /** The endpoint answers and wants a token, or another one. */
  | { readonly state: 'closed'; readonly why: 'no-token' | 'wrong-token' | 'url-token' };

export type ConnectionEvent =
  | { readonly event: 'heard' }
  /** `random`: 0 to 1, so that many pages do not ask at the same moment. */
  | { readonly event: 'failed'; readonly at: number; readonly random: number }
  | { readonly event: 'refused'; readonly status: number; readonly withToken: boolean };

/** While all is well. */
export const lookEveryMs = 2000;
/** Nobody looks at a page in the background. */
export const hiddenEveryMs = 30_000;
const [firstPauseMs, longestPauseMs] = [1000, 30_000];

export function nextConnection(connection: Connection, event: ConnectionEvent): Connection {
  if (event.event === 'heard') return { state: 'live' };
  if (event.event === 'refused')
    return {
      state: 'closed',
      why: !event.withToken ? 'no-token' : event.status === 403 ? 'url-token' : 'wrong-token',
    };
  const before = connection.state === 'lost' ? connection : { tries: 0, since: event.at };
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** before.tries);
  return {
    state: 'lost',
    since: before.since,
    tries: before.tries + 1,
    nextAt: event.at + pauseMs * (0.75 + event.random / 2),
  };
}
