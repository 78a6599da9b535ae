import { TextDecoder } from 'node:util';
import { Parser } from 'htmlparser2';
import { RagError } from '../errors.ts';

/** What a walk over XML is told. Names and attributes carry the prefixes of `prefixes` below, whatever the file says. */
export interface XmlHandlers {
  open?(name: string, attributes: XmlAttributes): void;
  close?(name: string): void;
  text?(text: string): void;
}

export type XmlAttributes = Readonly<Record<string, string>>;

/** No producer nests deeper; a million levels would hold the thread for minutes. */
const deepest = 2000;

/**
 * Reads XML as a stream: a sheet of 200 MB costs the memory of its text. Entities beyond XML's own five and
 * references outside of the file mean nothing here: they are neither expanded nor fetched.
 *
 * @param source UTF-8, or UTF-16 with a byte order mark; whatever is thrown by a handler or by it passes through
 */
export async function readXml(source: AsyncIterable<Uint8Array>, handlers: XmlHandlers): Promise<void> {
  const names = openNames();
  let depth = 0;
  const parser = new Parser(
    {
      onattribute: (name, value) => names.declare(name, value),
      onopentag: (name, attributes) => {
        if (++depth > deepest) throw new RagError('bad-document', 'its XML is nested too deeply');
        handlers.open?.(names.elementOf(name), names.attributesOf(attributes));
      },
      onclosetag: (name) => {
        depth--;
        handlers.close?.(names.elementOf(name));
      },
      ontext: (text) => handlers.text?.(text),
    },
    { xmlMode: true, decodeEntities: true },
  );
  let decoder: TextDecoder | undefined;
  for await (const piece of source) {
    decoder ??= new TextDecoder(encodingOf(piece));
    parser.write(decoder.decode(piece, { stream: true }));
  }
  parser.end(decoder?.decode());
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

/** Namespaces, and the prefixes under which our readers know them; '' for those whose names they use bare. */
const prefixes = new Map<string, string>();
const office = ['http://schemas.openxmlformats.org/', '/2006'] as const;
for (const [space, prefix] of [
  ['wordprocessingml/main', 'w'],
  ['presentationml/main', 'p'],
  ['spreadsheetml/main', ''],
  ['drawingml/main', 'a'],
  ['drawingml/diagram', 'dgm'],
  ['drawingml/chart', 'c'],
  ['officeDocument/math', 'm'],
  ['officeDocument/relationships', 'r'],
] as const) {
  prefixes.set(office[0] + space.replace('/', `${office[1]}/`), prefix);
  prefixes.set(`http://purl.oclc.org/ooxml/${space}`, prefix); // "Strict Open XML"
}
for (const space of ['office', 'text', 'table', 'presentation', 'style', 'meta', 'manifest'])
  prefixes.set(`urn:oasis:names:tc:opendocument:xmlns:${space}:1.0`, space);
prefixes.set('urn:oasis:names:tc:opendocument:xmlns:drawing:1.0', 'draw');
prefixes.set('http://schemas.openxmlformats.org/markup-compatibility/2006', 'mc');
prefixes.set('http://schemas.openxmlformats.org/package/2006/relationships', '');
prefixes.set('http://schemas.openxmlformats.org/package/2006/content-types', '');
prefixes.set('http://purl.org/dc/elements/1.1/', 'dc');
prefixes.set('http://www.idpf.org/2007/opf', '');
prefixes.set('urn:oasis:names:tc:opendocument:xmlns:container', '');

interface Names {
  declare(name: string, value: string): void;
  elementOf(name: string): string;
  attributesOf(attributes: XmlAttributes): XmlAttributes;
}

/**
 * Namespaces by their addresses rather than by the prefixes that are usual. A declaration holds to the end of
 * the file, not of its element: no producer gives one prefix two meanings.
 */
function openNames(): Names {
  const renamed = new Map<string, string>();
  const rename = (name: string, isElement: boolean): string => {
    const colon = name.indexOf(':');
    if (colon < 0 && !isElement) return name; // an attribute without a prefix is in no namespace
    const prefix = renamed.get(name.slice(0, Math.max(0, colon)));
    if (prefix === undefined) return name;
    const local = name.slice(colon + 1);
    return prefix === '' ? local : `${prefix}:${local}`;
  };
  return {
    declare(name, value) {
      if (!name.startsWith('xmlns')) return;
      const given = name.slice('xmlns:'.length);
      const ours = prefixes.get(value);
      if (ours === undefined || ours === given) renamed.delete(given);
      else renamed.set(given, ours);
    },
    elementOf: (name) => (renamed.size === 0 ? name : rename(name, true)),
    attributesOf(attributes) {
      if (renamed.size === 0) return attributes;
      return Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [rename(name, false), value]),
      );
    },
  };
}

/** The handlers without the elements of these names, and without all that is in them. */
export function leavingOut(names: ReadonlySet<string>, handlers: XmlHandlers): XmlHandlers {
  let depth = 0;
  return {
    open(name, attributes) {
      if (names.has(name)) depth++;
      else if (depth === 0) handlers.open?.(name, attributes);
    },
    close(name) {
      if (names.has(name)) depth--;
      else if (depth === 0) handlers.close?.(name);
    },
    text(text) {
      if (depth === 0) handlers.text?.(text);
    },
  };
}
