/** From flags, environment and file to settings that are checked once and never read again from outside. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { parse } from 'yaml';

import { messageOf, RagError } from '../errors.ts';
import { nearest } from './flags.ts';
import { entryOf, flagOf, settingNames, type SettingName, type Settings } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Source = 'flag' | 'environment' | 'file' | 'default';

export interface Loaded {
  readonly settings: Settings;
  readonly sources: Readonly<Record<SettingName, Source>>;
  readonly warnings: readonly string[];
}

export interface Given {
  readonly flags: Readonly<Partial<Record<SettingName, string>>>;
  readonly environment: Environment;
  /** YAML file of settings. */
  readonly file?: string | undefined;
}

interface Problem {
  readonly name: string;
  readonly source: Source;
  readonly what: string;
}

/**
 * Flags > environment > file > defaults. An empty variable counts as unset, as in the scripts it replaces.
 * @throws settings, naming every problem at once, each with its source
 */
export function load(given: Given): Loaded {
  const file = given.file === undefined ? {} : readFile(given.file);
  const warnings: string[] = [];
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const name of settingNames) {
    const found = find(name, given, file, warnings);
    const source = found?.source ?? 'default';
    const raw = source === 'default' ? entryOf(name).default : found?.value;
    sources[name] = source;
    const checked = check(name, raw, source);
    if ('problem' in checked) problems.push(checked.problem);
    else values[name] = checked.value;
  }
  problems.push(...unknownKeys(file), ...overlapTooLarge(values, sources));
  warnings.push(...unknownVariables(given.environment));
  if (problems.length > 0) throw refusal(problems);
  const settings = values as Settings;
  return { settings: withPaths(settings), sources: sources as Record<SettingName, Source>, warnings };
}

function find(
  name: SettingName,
  given: Given,
  file: Record<string, string>,
  warnings: string[],
): { value: string; source: Source } | undefined {
  const candidates: [Source, string | undefined][] = [
    ['flag', given.flags[name]],
    ['environment', given.environment[name]],
    ['file', file[name]],
  ];
  for (const [source, value] of candidates) {
    if (value === undefined || value.trim() === '') continue;
    const ignored = whyIgnored(name, value);
    if (ignored === undefined) return { value, source };
    warnings.push(ignored);
  }
  return undefined;
}

function check(
  name: SettingName,
  raw: string | undefined,
  source: Source,
): { value: unknown } | { problem: Problem } {
  const { schema, works } = entryOf(name);
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]?.message ?? 'is wrong';
    return { problem: { name, source, what: `${JSON.stringify(raw ?? '')} ${issue}` } };
  }
  if (source !== 'default' && works !== undefined && !works.includes(String(raw))) {
    const wanted = works.length === 0 ? 'leave it unset' : `use ${works.join(' or ')}`;
    return { problem: { name, source, what: `${JSON.stringify(raw)} is not yet supported, ${wanted}` } };
  }
  return { value: parsed.data };
}

/** `OLLAMA_HOST=0.0.0.0` in a login script tells servers where to listen; it names no service to use. */
function whyIgnored(name: SettingName, value: string): string | undefined {
  if (name !== 'OLLAMA_HOST') return undefined;
  const bindAddress = /^(https?:\/\/)?(0\.0\.0\.0|\[::\]|\*)?(:\d+)?\/?$/.test(value.trim());
  return bindAddress
    ? `OLLAMA_HOST=${value} is a bind address and names no running service: ignored.`
    : undefined;
}

function readFile(path: string): Record<string, string> {
  let document: unknown;
  try {
    // As it is written: `1.10` is the name of a version, and no number.
    document = parse(readFileSync(path, 'utf8'), { schema: 'failsafe' });
  } catch (cause) {
    throw new RagError(
      'settings',
      `Cannot read the settings file ${path}: ${messageOf(cause)}, a YAML map of settings is wanted`,
      {
        hint: 'cp configs/cluster.yaml.example cluster.yaml',
        cause,
      },
    );
  }
  // Nothing but comments, like the example as it comes.
  if (document === null || document === undefined || document === '') return {};
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new RagError(
      'settings',
      `Cannot read the settings file ${path}: it is no map, lines like "RAG_TOPK: 5" are wanted`,
    );
  }
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, textOf(key, value)]));
}

/** A list of a setting that may be given several times is that; else it is one value with commas. */
function textOf(key: string, value: unknown): string {
  if (!Array.isArray(value)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return isNull.test(text) ? '' : text;
  }
  const isRepeatable =
    settingNames.includes(key as SettingName) && entryOf(key as SettingName).repeatable === true;
  return value.join(isRepeatable ? '\n' : ',');
}

/** YAML's words for nothing. */
const isNull = /^(?:~|null|Null|NULL)?$/;

const unknownKeys = (file: Record<string, string>): Problem[] =>
  Object.keys(file)
    .filter((key) => !settingNames.includes(key as SettingName))
    .map((name) => ({ name, source: 'file', what: 'is not a setting' }));

/** Chunks that repeat more than they add never get through a document. */
function overlapTooLarge(
  { RAG_CHUNK_TOKENS: tokens, RAG_CHUNK_OVERLAP: overlap }: Record<string, unknown>,
  sources: Readonly<Record<string, Source>>,
): Problem[] {
  if (typeof tokens !== 'number' || typeof overlap !== 'number' || overlap * 2 <= tokens) return [];
  const isDefault = sources['RAG_CHUNK_OVERLAP'] === 'default';
  const name = isDefault ? 'RAG_CHUNK_TOKENS' : 'RAG_CHUNK_OVERLAP';
  const what = isDefault
    ? `${tokens} is less than twice RAG_CHUNK_OVERLAP (${overlap}), which has to be set to half of it at most`
    : `${overlap} is more than half of RAG_CHUNK_TOKENS (${tokens})`;
  return [{ name, source: sources[name] ?? 'default', what }];
}

/** Set for others by us, or read by the scripts alone. */
const notSettings =
  /^RAG_(HANDED_OVER|SUPERVISOR_ID|SUPERVISOR|URL|RETRIEVER_URL|TOKEN_FILE|RELAY_URL|RELAY_TOKEN_FILE|SOCKET|PYTHON_ENV_SECONDS)$/;

const unknownVariables = (environment: Environment): string[] =>
  Object.keys(environment)
    .filter(
      (name) =>
        name.startsWith('RAG_') && !notSettings.test(name) && !settingNames.includes(name as SettingName),
    )
    .map((name) => [`${name} is no setting`, nearest(name, settingNames)].filter(Boolean).join(', '));

function refusal(problems: readonly Problem[]): RagError {
  const lines = problems.map(({ name, source, what }) => {
    const from = source === 'flag' ? `the flag --${flagOf(name as SettingName)}` : `the ${source}`;
    return `${name}: ${what} (from ${from})`;
  });
  const hint = 'node dist/supervisor.js config   # every setting, its value, where it comes from';
  return new RagError('settings', `Cannot use the settings: ${lines.join('; ')}`, { hint });
}

const expandHome = (path: string): string =>
  path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;

/** Absolute from here on: services run in folders of their own, where a relative path would mean another place. */
const absolute = (path: string): string => resolve(expandHome(path));

/** A bare name is looked up on PATH. */
const asProgram = (name: string): string => (/[/~]/.test(name) ? absolute(name) : name);

function withPaths(settings: Settings): Settings {
  const root = absolute(settings.RAG_SHARED_ROOT);
  const models = settings.OLLAMA_MODELS ?? '~/.ollama/models';
  return {
    ...settings,
    RAG_SHARED_ROOT: root,
    RAG_RUNTIME_STATE: absolute(settings.RAG_RUNTIME_STATE ?? join(root, 'runtime')),
    RAG_WORKING_DIR: absolute(settings.RAG_WORKING_DIR ?? join(root, 'rag_storage')),
    LOG_ROOT: absolute(settings.LOG_ROOT),
    RAG_DB_DIR: settings.RAG_DB_DIR && absolute(settings.RAG_DB_DIR),
    OLLAMA_MODELS: absolute(models),
    // Its first word may be a path, with `\\ ` for a blank.
    RAG_PARSER: settings.RAG_PARSER?.replace(/^(?:\\.|\S)+/, (word) =>
      word.includes('/') ? absolute(word) : word,
    ),
    RAG_RETRIEVER: settings.RAG_RETRIEVER.replace(
      /(?<=^(?:bm25\+)?(?:\w+=)?)(?:~|\.{1,2})?\/.*$/su,
      absolute,
    ),
    RERANKER_MODEL_PATH: settings.RERANKER_MODEL_PATH && absolute(settings.RERANKER_MODEL_PATH),
    RERANKER_KEY_FILE: settings.RERANKER_KEY_FILE && absolute(settings.RERANKER_KEY_FILE),
    RERANKER_PYTHON: asProgram(settings.RERANKER_PYTHON),
    OLLAMA_BIN: asProgram(settings.OLLAMA_BIN),
  };
}
