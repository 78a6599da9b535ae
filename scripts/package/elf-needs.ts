/** What an ELF file asks of the machine that it is loaded on: libraries by name, and versions of their symbols. Pure. */

export interface ElfNeeds {
  /** Sonames, e.g. `libc.so.6`. */
  readonly libraries: readonly string[];
  /** e.g. `GLIBC_2.28`. */
  readonly versions: readonly string[];
}

/**
 * The libraries of RHEL 8 (glibc 2.28, gcc 8), which are the oldest that we run on.
 * https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html: gcc 8 has GLIBCXX_3.4.25 and CXXABI_1.3.11.
 */
const oldest: Readonly<Record<string, string>> = {
  GLIBC: '2.28',
  GLIBCXX: '3.4.25',
  CXXABI: '1.3.11',
  GCC: '7.0.0',
};

/** On every machine with a shell and a C++ library. */
const everywhere = /^(?:libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+|ld-linux-x86-64)\.so\.\d+$/;

const x86 = 62;
const [dynamicSection, versionsNeeded, neededTag] = [6, 0x6f_ff_ff_fe, 1n];

export const isElf = (bytes: Buffer): boolean => bytes.subarray(0, 4).toString('latin1') === '\x7fELF';

interface Section {
  readonly type: number;
  readonly link: number;
  readonly content: Buffer;
}

/** @throws on what is no 64-bit little-endian x86-64 file with a table of sections */
export function readElfNeeds(bytes: Buffer): ElfNeeds {
  const machine = bytes.readUInt16LE(18);
  if (bytes[4] !== 2 || bytes[5] !== 1 || machine !== x86)
    throw new Error(`machine ${machine}, class ${bytes[4]}: x86-64 is wanted`);
  const sections = readSections(bytes);
  const namesOf = ({ link }: Section): Buffer => sections[link]?.content ?? Buffer.alloc(0);
  const of = (type: number): Section[] => sections.filter((section) => section.type === type);
  return {
    libraries: of(dynamicSection).flatMap((section) => readLibraries(section.content, namesOf(section))),
    versions: of(versionsNeeded).flatMap((section) => readVersions(section.content, namesOf(section))),
  };
}

/** Elf64_Shdr: 64 bytes, type at 4, offset at 24, size at 32, link at 40. */
function readSections(bytes: Buffer): Section[] {
  const [start, size, count] = [
    Number(bytes.readBigUInt64LE(40)),
    bytes.readUInt16LE(58),
    bytes.readUInt16LE(60),
  ];
  if (start === 0 || count === 0) throw new Error('it has no table of sections');
  return Array.from({ length: count }, (_, index) => {
    const header = bytes.subarray(start + index * size);
    const [offset, length] = [Number(header.readBigUInt64LE(24)), Number(header.readBigUInt64LE(32))];
    return {
      type: header.readUInt32LE(4),
      link: header.readUInt32LE(40),
      content: bytes.subarray(offset, offset + length),
    };
  });
}

const nameAt = (names: Buffer, offset: number): string =>
  names.toString('latin1', offset, names.indexOf(0, offset));

/** Elf64_Dyn: a tag and a value, 8 bytes each. */
function readLibraries(content: Buffer, names: Buffer): string[] {
  const libraries: string[] = [];
  for (let at = 0; at + 16 <= content.length; at += 16) {
    if (content.readBigInt64LE(at) === neededTag)
      libraries.push(nameAt(names, Number(content.readBigUInt64LE(at + 8))));
  }
  return libraries;
}

/** Elf64_Verneed, one for each library, each with a chain of Elf64_Vernaux: both 16 bytes, linked by distances. */
function readVersions(content: Buffer, names: Buffer): string[] {
  const versions: string[] = [];
  for (let library = 0, isLast = content.length === 0; !isLast;) {
    let version = library + content.readUInt32LE(library + 8);
    for (let left = content.readUInt16LE(library + 2); left > 0; left -= 1) {
      versions.push(nameAt(names, content.readUInt32LE(version + 8)));
      version += content.readUInt32LE(version + 12);
    }
    const next = content.readUInt32LE(library + 12);
    isLast = next === 0;
    library += next;
  }
  return versions;
}

/** What the oldest machine does not have, in words. */
export function tooNew({ libraries, versions }: ElfNeeds): string[] {
  return [
    ...libraries.filter((name) => !everywhere.test(name)),
    ...versions.filter((version) => {
      const [, family = '', number = ''] = /^([A-Z]+)_(\d[\d.]*)$/.exec(version) ?? [];
      const most = oldest[family];
      return most === undefined || compareVersions(number, most) > 0;
    }),
  ];
}

/** By their numbers: 2.4 is older than 2.28. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((text) => text.split('.').map(Number));
  for (let index = 0; index < Math.max(left?.length ?? 0, right?.length ?? 0); index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The highest of each family: `['GLIBC_2.28', ...]`. */
export function highest(versions: Iterable<string>): string[] {
  const best = new Map<string, string>();
  for (const version of versions) {
    const [, family = '', number = ''] = /^(.*)_(\d[\d.]*)$/.exec(version) ?? [];
    if (compareVersions(number, best.get(family) ?? '0') > 0) best.set(family, number);
  }
  return [...best].map(([family, number]) => `${family}_${number}`).sort();
}
