/** What a document or a question may not bring into a prompt. */
import { withMarksAs } from './sentences.ts';

/**
 * Never seen by a reader and yet read by a model: control characters, zero-width and bidi marks, and the tags and
 * variation selectors in which whole orders have been hidden. A joiner between two letters of a script that needs it
 * stays; beside ASCII it would only hide one of the tokens below.
 */
const unseen =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- these are what it is about
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E01EF}]|(?<=[\0-\u007F])[\u00AD\u200C\u200D]+|[\u00AD\u200C\u200D]+(?=[\0-\u007F])/gu;

/** Tokens of chat templates that do not begin with `<|`: Llama 2, Gemma, Qwen, DeepSeek, GLM. */
const names = String.raw`s|bos|eos|pad|unk|mask|sep|cls|(?:start|end)_of_(?:turn|image)|think|thinking|tool_call|tool_response|tools|unused\d+|reserved_\w+|extra_id_\d+`;

/** A model server turns these into the real tokens wherever they stand in a message. */
const tokens = new RegExp(
  String.raw`[<＜](?=\s*/?\s*passage\b|[|｜]|/?(?:${names})>|</?SYS>>)|\[(?=/?(?:INST|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|SYSTEM_PROMPT|gMASK|sMASK)\]|\|)`,
  'giu',
);

/**
 * The text without unseen characters; the fence of a passage and the control tokens of chat templates lose their opening
 * bracket. Everything else stays as it is written: it is data, and may be quoted.
 */
export const neutralise = (text: string): string =>
  text.replace(unseen, '').replace(tokens, (bracket) => (bracket === '[' ? '⟦' : '‹'));

/** A passage's own `[12]` would be copied into the answer and be taken for a citation of passage 12. */
export const neutralPassage = (text: string): string =>
  withMarksAs(neutralise(text), (numbers) => `(${numbers})`);
