/** Colours by what a text means. Node knows NO_COLOR, FORCE_COLOR, TERM=dumb and what is no terminal. */
import { styleText } from 'node:util';

export type Style = 'good' | 'warn' | 'bad' | 'dim' | 'strong';

export type Paint = (style: Style, text: string) => string;

/** For what nobody looks at. */
export const plain: Paint = (_style, text) => text;

const formats = { good: 'green', warn: 'yellow', bad: 'red', dim: 'dim', strong: 'bold' } as const;

/** @param stream that the text goes to. The text must not hold control characters of somebody else */
export const paintFor =
  (stream: NodeJS.WritableStream): Paint =>
  (style, text) =>
    text === '' ? text : styleText(formats[style], text, { stream });
