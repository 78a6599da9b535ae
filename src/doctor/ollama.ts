/** Ollama's program, its model store, and whether the index that is there was made by the model that is wanted. */
import { access, constants } from 'node:fs/promises';
import type { Settings } from '../config/settings.ts';
import { corpusInputs } from '../job/prepare/corpus.ts';
import { ollamaModels } from '../job/prepare/models-in-force.ts';
import { fitPlan } from '../job/prepare/memory.ts';
import { askProgram } from '../machine/question.ts';
import { readModel } from '../machine/model-store.ts';
import { type MemoryLine, memoryText } from '../plan/memory.ts';
import type { Plan } from '../plan/types.ts';
import { promptWarning } from '../services/ollama-version.ts';
import { findProgram } from '../supervise/death-signal.ts';
import { lookElsewhere } from './ollama-elsewhere.ts';
import { failure, type Finding, type Look, ok, warning } from './types.ts';

const about = 'Ollama';

export const lookAtOllama: Look = async ({ settings, environment, job, plan, signal }) => {
  if (settings.RAG_ENGINE === 'embedded')
    return [ok(about, 'not used: the embedded engine stands in for models')];
  const wanted = wantedModels(settings, plan);
  if (settings.OLLAMA_HOST !== undefined) {
    const planned = plan === null ? wanted : ollamaModels(plan).map(({ model }) => model);
    return lookElsewhere({ settings, job, signal }, planned);
  }
  const hasInputs = settings.RAG_INPUT_FILE !== undefined || corpusInputs(settings).length > 0;
  const work = hasInputs ? 'ingests-then-answers' : 'answers';
  const memory =
    plan === null
      ? []
      : (await fitPlan(() => plan, { settings, environment, assumed: undefined, work, signal })).memory;
  return [
    await lookAtServer(settings, environment['PATH'] ?? '', signal),
    ...(await lookAtModels(settings, wanted)),
    ...memory.map((line) => judgeMemory(line, settings)),
  ];
};

/** With RAG_LAYOUTS=one somebody has said that he knows better than the estimate. */
export function judgeMemory(line: MemoryLine, { RAG_LAYOUTS }: Pick<Settings, 'RAG_LAYOUTS'>): Finding {
  if (line.fits !== false) return ok('memory', memoryText(line));
  const judge = RAG_LAYOUTS === 'one' ? warning : failure;
  return judge(
    'memory',
    memoryText(line),
    'node dist/supervisor.js plan --assume-gpus 4x80GiB   # what would do',
  );
}

async function lookAtServer({ OLLAMA_BIN }: Settings, path: string, signal: AbortSignal): Promise<Finding> {
  const bin = OLLAMA_BIN.includes('/') ? OLLAMA_BIN : findProgram(OLLAMA_BIN, path);
  const mend = 'export OLLAMA_BIN=/path/to/ollama   # or put it on PATH in RAG_SETUP_SCRIPT';
  if (bin === undefined) return failure(about, `there is no ${OLLAMA_BIN} on PATH`, mend);
  const executable = await access(bin, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable) return failure(about, `${bin} cannot be run`, mend);
  const answer = await askProgram([bin, '--version'], { timeoutMs: 20_000, signal });
  if (answer.outcome === 'failed') return failure(about, `${bin} --version: ${answer.why}`, mend);
  const version = /\d+\.\d+\.\d+\S*/.exec(answer.stdout)?.[0] ?? 'of unknown version';
  const complaint = promptWarning(version);
  return complaint === null
    ? ok(about, `${bin} ${version}`)
    : warning(about, complaint, 'install Ollama 0.13 or newer');
}

/** Of a store also the one that only another run of this job will need; an embedder only where Ollama embeds. */
const wantedModels = ({ OLLAMA_EMBED_MODEL, OLLAMA_GENERATE_MODEL }: Settings, plan: Plan | null): string[] =>
  [
    ...(plan === null || plan.embedder === 'ollama' ? [OLLAMA_EMBED_MODEL] : []),
    OLLAMA_GENERATE_MODEL,
  ].filter((name) => name !== 'none');

async function lookAtModels({ OLLAMA_MODELS }: Settings, wanted: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const model of wanted) {
    const found = await readModel(OLLAMA_MODELS, model);
    if (found === 'no-store')
      return [
        failure(
          about,
          `there is no model store in ${OLLAMA_MODELS}`,
          `export OLLAMA_MODELS=/path/to/models   # or: ollama pull ${model}`,
        ),
      ];
    findings.push(
      typeof found === 'string'
        ? failure(about, `${model} is ${found} in ${OLLAMA_MODELS}`, `ollama pull ${model}`)
        : ok(about, `${model}: ${(found.bytes / 1e9).toFixed(1)} GB, ${found.digest.slice(0, 12)}`),
    );
  }
  return findings;
}
