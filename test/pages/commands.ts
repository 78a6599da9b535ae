/** The commands in a piece of shell text, as bash would run them. Pure. */
import { type Command as Node, forEachChild, parse, type SyntaxNode } from 'unbash';

export interface Command {
  /** Without quotes; `$NAME` and `$(...)` stand as they are written. */
  readonly words: readonly string[];
  /** Names that are set before it, or by it. */
  readonly assigns: readonly string[];
}

/** @throws when bash could not read it */
export function commandsIn(text: string): Command[] {
  const found: Command[] = [];
  const functions = new Set<string>();
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'Command') found.push(commandOf(node));
    if (node.type === 'Function') functions.add(node.name.text);
    forEachChild(node, visit);
  };
  const script = parse(text);
  const [error] = script.errors ?? [];
  if (error !== undefined) throw new Error(error.message);
  visit(script);
  // What is in a function is found where it stands.
  return found.filter(({ words: [name = ''] }) => !functions.has(name));
}

function commandOf({ name, prefix, args }: Node): Command {
  const words = [...(name === undefined ? [] : [name]), ...args];
  const own = words.map((word) =>
    'value' in word && typeof word.value === 'string' ? word.value : word.text,
  );
  const exported = own[0] === 'export' ? own.slice(1).map((word) => word.split('=')[0] ?? '') : [];
  return {
    words: own,
    assigns: [...prefix.map((part) => ('name' in part ? part.name : '')).filter(Boolean), ...exported],
  };
}
