/** What the shell and the site allow a process: limits, memory of the job, proxies. */
import { readFile } from 'node:fs/promises';
import type { Environment } from '../config/load.ts';
import { failure, type Finding, type Look, ok, warning } from './types.ts';

const about = 'limits';

export const lookAtLimits: Look = async ({ environment }) => {
  const limits = readLimits(await readFile('/proc/self/limits', 'utf8').catch(() => ''));
  return [judgeAddressSpace(limits.addressSpace), judgeFiles(limits.files), ...judgeProxy(environment)];
};

export interface Limits {
  /** Bytes; null: unlimited, or not known. */
  readonly addressSpace: number | null;
  readonly files: number | null;
}

/** @param text of /proc/self/limits: name, soft limit, hard limit, unit, in columns */
export function readLimits(text: string): Limits {
  const soft = (name: string): number | null => {
    const value = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1];
    return value === undefined || value === 'unlimited' ? null : Number(value);
  };
  return { addressSpace: soft('Max address space'), files: soft('Max open files') };
}

const gigabyte = 1e9;

/** Every WebAssembly memory (PDFs, XML) reserves some 10 GB of addresses: with 8 GB there is none, with 16 GB one. */
export function judgeAddressSpace(bytes: number | null): Finding {
  if (bytes === null) return ok(about, 'no limit of address space');
  const said = `ulimit -v is ${(bytes / gigabyte).toFixed(0)} GB`;
  if (bytes < 16 * gigabyte)
    return failure(about, `${said}: PDFs cannot be read, 64 GB or none is wanted`, 'ulimit -v unlimited');
  return bytes < 64 * gigabyte
    ? warning(about, `${said}: few threads can read PDFs`, 'ulimit -v unlimited')
    : ok(about, said);
}

/** An index of many shards and a model server's connections. */
function judgeFiles(files: number | null): Finding {
  if (files === null || files >= 4096) return ok(about, `open files: ${files ?? 'no limit'}`);
  return warning(about, `ulimit -n is ${files}: an index of many shards needs more`, 'ulimit -n 4096');
}

/** With a proxy set, Python's urllib and requests send even loopback addresses there, unless NO_PROXY names them. */
export function judgeProxy(environment: Environment): Finding[] {
  const proxy = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'].find((name) => environment[name]);
  if (proxy === undefined) return [];
  const spared = `${environment['no_proxy'] ?? ''},${environment['NO_PROXY'] ?? ''}`
    .split(',')
    .map((each) => each.trim());
  if (['127.0.0.1', '*'].some((each) => spared.includes(each))) return [];
  return [
    warning(
      'proxy',
      `${proxy} is set and NO_PROXY does not name 127.0.0.1: your own Python clients will look for the endpoint at the proxy`,
      'export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost',
    ),
  ];
}
