/** What a setting is made of: its entry in the table, and the kinds of values. */
import { constants } from 'node:os';
import { z } from 'zod';

export type Group =
  | 'paths'
  | 'work'
  | 'ollama'
  | 'encoder'
  | 'retrieval'
  | 'reranker'
  | 'gpus'
  | 'endpoint'
  | 'job';

export interface SettingEntry<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** As a user would write it. Undefined: no value. */
  readonly default: string | undefined;
  readonly group: Group;
  readonly meaning: string;
  /** The long flag; derived from the name when absent. */
  readonly flag?: string;
  /** May be given several times; values are joined by newlines. */
  readonly repeatable?: boolean;
  /** The only values that work so far; others are refused as not yet supported. */
  readonly works?: readonly string[];
  /** What a shell offers where the schema allows more than a list. */
  readonly choices?: readonly string[];
}

export const entry = <S extends z.ZodType>(
  group: Group,
  schema: S,
  fallback: string | undefined,
  meaning: string,
  more: Pick<SettingEntry, 'flag' | 'repeatable' | 'works' | 'choices'> = {},
): SettingEntry<S> => ({ schema, default: fallback, group, meaning, ...more });

export const text: z.ZodString = z.string().trim().min(1, 'is empty, a value is wanted');
export const optional = text.optional();
/** What `services/parser-program.ts` knows by name, or a command line that says where its input and output go. */
export const outsideParser = text.regex(
  /^(?:(?:\S*\/)?(?:mineru|docling)|(?=.*\{input\})(?=.*\{output\}).*)$/s,
  'is neither mineru nor docling nor a command with {input} and {output}',
);
/**
 * The retrievers with a name, in MedRAG's spellings too (`MedCPT`, `RRF-2`), else the path of a folder or a name of the
 * Hugging Face cache (`intfloat/e5-base-v2`): those have a slash. `bm25+` in front of an encoder fuses both.
 */
export const retriever = text
  .transform((value) => (value.includes('/') ? value : value.toLowerCase().replace(/^rrf-/, 'rrf')))
  .pipe(
    z
      .string()
      .regex(
        /^(?:ollama|bm25|rrf2|rrf4|(?:bm25\+)?(?:medcpt|e5|contriever|specter|.*\/.*))$/su,
        'is none of ollama, medcpt, e5, contriever, specter, bm25, rrf2, rrf4, bm25+NAME, and no path of a folder',
      ),
  );
export const positionOrCpu = z
  .string()
  .trim()
  .regex(/^(cpu|\d{1,4})$/, 'is neither a position of the list of GPUs, from 0, nor cpu')
  .transform((value): number | 'cpu' => (value === 'cpu' ? value : Number(value)));
export const httpUrl = text.regex(/^https?:\/\/[^\s@]+$/u, 'is not an address like http://HOST:PORT');
/** `TERM`, `SIGUSR1`, `usr1`. */
export const signalName = z
  .string()
  .trim()
  .transform((value) => `SIG${value.toUpperCase().replace(/^SIG/, '')}`)
  .refine((name) => Object.hasOwn(constants.signals, name), 'is no signal, e.g. TERM or USR1')
  .transform((name) => name as NodeJS.Signals);
export const whole = (least: number, most: number) =>
  z
    .string()
    .trim()
    .regex(/^\d+$/, 'is not a whole number of 0 or more')
    .transform(Number)
    .pipe(z.number().min(least, `is below ${least}`).max(most, `is above ${most}`));
export const autoOrCount = z
  .string()
  .trim()
  .regex(/^(auto|[1-9]\d?)$/, 'is neither auto nor a count from 1 to 99')
  .transform((value): number | 'auto' => (value === 'auto' ? value : Number(value)));
export const fraction = z
  .string()
  .trim()
  .regex(/^\d*\.?\d+$/, 'is not a number')
  .transform(Number)
  .pipe(z.number().min(0).max(1, 'is above 1'));
export const flagValue = z.stringbool({ error: 'is not one of 1, 0, yes, no, true, false' });
export const failedLimit = z
  .string()
  .trim()
  .regex(/^(\d+|(100|\d{1,2})(\.\d+)?%)$/, 'is not a count (5) or a share (5%)')
  .transform((value): { count: number } | { percent: number } =>
    value.endsWith('%') ? { percent: Number(value.slice(0, -1)) } : { count: Number(value) },
  );
export const services = text.transform((value, context) => {
  const names = value.split(',').map((name) => name.trim());
  const known = names.filter((name) => name === 'embed' || name === 'rerank' || name === 'generate');
  if (known.length !== names.length) {
    context.addIssue({ code: 'custom', message: 'is not a list of embed, rerank, generate' });
  }
  return known;
});
