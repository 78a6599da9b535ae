import { readXml } from './xml.ts';

/** What a cell's number means, by the format in which it is shown. */
export type NumberKind = 'number' | 'percent' | 'date' | 'time' | 'date-time' | 'duration';

/** Formats that have a number and no definition in the file; 27 to 58 are dates in East Asian editions. */
function builtInKind(id: number): NumberKind {
  if (id === 9 || id === 10) return 'percent';
  if (id === 22) return 'date-time';
  if (id === 46) return 'duration';
  if ((id >= 18 && id <= 21) || id === 45 || id === 47) return 'time';
  const isDate = (id >= 14 && id <= 17) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58);
  return isDate ? 'date' : 'number';
}

/** Excel takes 255 characters. */
const longestFormat = 1000;

/** By the letters of its first section, without literals, colours and conditions. @param code e.g. `yyyy\-mm\-dd;@` */
export function kindOfFormat(code: string): NumberKind {
  const [section = ''] = code
    .slice(0, longestFormat)
    .replace(/"[^"]*"|[\\_*]./gu, '')
    .split(';');
  if (/\[(?:h+|m+|s+)\]/iu.test(section)) return 'duration';
  const letters = section.replace(/\[[^\]]*\]/gu, '').toLowerCase();
  if (letters.includes('general')) return 'number';
  const hasTime = /[hs]/u.test(letters);
  const hasDate = /[yd]|mmm/u.test(letters) || (letters.includes('m') && !hasTime);
  if (hasDate) return hasTime ? 'date-time' : 'date';
  if (hasTime) return 'time';
  return letters.includes('%') ? 'percent' : 'number';
}

/** Kinds by the number of a cell's style. @param styles the part of that name */
export async function readNumberKinds(styles: AsyncIterable<Uint8Array>): Promise<NumberKind[]> {
  const custom = new Map<number, NumberKind>();
  const kinds: NumberKind[] = [];
  let isCell = false;
  await readXml(styles, {
    open(name, { numFmtId, formatCode = '' }) {
      const id = Number(numFmtId);
      if (name === 'cellXfs') isCell = true;
      else if (name === 'numFmt') custom.set(id, kindOfFormat(formatCode));
      else if (name === 'xf' && isCell) kinds.push(custom.get(id) ?? builtInKind(id));
    },
    close(name) {
      if (name === 'cellXfs') isCell = false;
    },
  });
  return kinds;
}

const dayMs = 86_400_000;
/** Day 0; in the older way of counting, of 1900, two days early: it counts from 1 and takes 1900 for a leap year. */
const epoch1900 = Date.UTC(1899, 11, 30);
const epoch1904 = Date.UTC(1904, 0, 1);
/** 9999-12-31. */
const lastDay = 2_958_465;

/** As a reader of the sheet would write it: `2024-03-01`, `12.5%`, 15 digits at most. @param raw as it is stored */
export function showNumber(raw: string, kind: NumberKind, since1904: boolean): string {
  const value = Number(raw);
  if (raw.trim() === '' || !Number.isFinite(value)) return raw;
  if (kind === 'number') return String(Number(value.toPrecision(15)));
  if (kind === 'percent') return `${Number((value * 100).toPrecision(15))}%`;
  if (value < 0 || value > lastDay) return raw;
  if (kind === 'duration') return showSeconds(Math.round(value * 86_400));
  const early = !since1904 && value < 60 ? 1 : 0;
  const ms = (since1904 ? epoch1904 : epoch1900) + Math.round((value + early) * 86_400) * 1000;
  const iso = new Date(ms).toISOString();
  const [day, time] = [iso.slice(0, 10), iso.slice(11, 19)];
  if (kind === 'time' && value < 1) return time;
  return kind === 'date' && ms % dayMs === 0 ? day : `${day} ${time}`;
}

function showSeconds(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
