/** What may reach a terminal: text of documents and models can carry escape sequences. */

/** Removes C0 and C1 control characters, except line feed and tab. */
export const withoutControls = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '');

/** For a name or a reason in a list: a line feed in it would make a line of its own. */
export const onOneLine = (text: string): string => withoutControls(text.replaceAll(/\s+/g, ' '));
