/** What may reach a terminal: text of documents and models can carry escape sequences. */

/** Removes C0 and C1 control characters, except line feed and tab, and what turns the direction of a text round. */
export const withoutControls = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, '');

/** For a name or a reason in a list: a line feed in it would make a line of its own. */
export const onOneLine = (text: string): string =>
  withoutControls(text.replaceAll(/\s+/g, ' ')).replaceAll(/ {2,}/g, ' ');

/** As bash reads it: a line that is to be pasted may name a document, and names hold quotes and worse. */
export function shellWord(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  const controls = /[\u0000-\u001F\u007F-\u009F]/g;
  if (!text.includes("'") && text.search(controls) < 0) return `'${text}'`;
  const code = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `$'${text.replaceAll(/['\\]/g, String.raw`\$&`).replaceAll(controls, code)}'`;
}
