/** Numbers as people read them. Always the same text for the same number: a page is drawn by a server and again by a browser. */

/** `12,340`. Written out here because the two may disagree about a locale. */
export function countText(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** Three digits: `0.42`, `12.3`, `1,230`. */
export function rateText(value: number): string {
  if (value >= 100) return countText(Number(value.toPrecision(3)));
  return value === 0 ? '0' : String(Number(value.toPrecision(value >= 1 ? 3 : 2)));
}

export const percentText = (share: number): string => `${Math.round(100 * share)} %`;

/** Two numbers at most: 47 s, 12 min, 3 h 20 min, 2 d 4 h. */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `8.2 ms`, `340 ms`, `2.1 s` */
export const millisecondsText = (ms: number): string =>
  ms < 1000 ? `${rateText(ms)} ms` : ms < 90_000 ? `${rateText(ms / 1000)} s` : durationText(ms / 1000);

export const gibibytesText = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

/** `0.04`, `12.5`, `1,240` */
export const hoursText = (hours: number): string =>
  hours >= 100 ? countText(hours) : hours.toFixed(hours < 1 ? 2 : 1);

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${countText(count)} ${count === 1 ? one : many}`;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/** By the clock of the job. */
const shifted = (at: number, utcOffsetMinutes: number): Date => new Date(at + utcOffsetMinutes * 60_000);

/** `22 Nov 14:05` */
export function momentText(at: number, utcOffsetMinutes: number): string {
  const date = shifted(at, utcOffsetMinutes);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** `14:05:09` */
export function clockText(at: number, utcOffsetMinutes: number): string {
  const date = shifted(at, utcOffsetMinutes);
  return [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
}

/** `UTC+01:00` */
export function zoneText(utcOffsetMinutes: number): string {
  if (utcOffsetMinutes === 0) return 'UTC';
  const minutes = Math.abs(utcOffsetMinutes);
  return `UTC${utcOffsetMinutes < 0 ? '−' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
