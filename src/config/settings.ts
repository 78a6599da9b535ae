/**
 * The one table of every setting. Documentation, `config`, env.example and configs/cluster.yaml.example are
 * made from it. A setting has one name everywhere: in the environment, in the YAML file and in the code.
 */
import { z } from 'zod';

import { ollamaSettings } from './settings-ollama.ts';
import { rerankerSettings } from './settings-reranker.ts';
import {
  entry,
  failedLimit,
  flagValue,
  fraction,
  optional,
  outsideParser,
  positionOrCpu,
  retriever,
  services,
  signalName,
  text,
  whole,
  type SettingEntry,
} from './setting.ts';

export const settingsTable = {
  RAG_SHARED_ROOT: entry(
    'paths',
    text,
    './rag-data',
    'Corpus root on a disk that every node of the job sees.',
  ),
  RAG_RUNTIME_STATE: entry(
    'paths',
    optional,
    undefined,
    'Endpoint file and state of supervisors. Default: `runtime` under RAG_SHARED_ROOT.',
  ),
  RAG_WORKING_DIR: entry(
    'paths',
    optional,
    undefined,
    'The index. Default: `rag_storage` under RAG_SHARED_ROOT.',
  ),
  RAG_INDEX_VERSION: entry(
    'paths',
    optional,
    undefined,
    'Answer from the version of the index that `index tag` gave this name. Default: the newest.',
  ),
  LOG_ROOT: entry('paths', text, 'logs/slurm', 'Logs, one folder per job.'),
  RAG_HOME: entry(
    'paths',
    optional,
    undefined,
    'The checkout, so that the sbatch scripts can be submitted from anywhere.',
  ),
  RAG_NODE: entry(
    'paths',
    optional,
    undefined,
    "The Node to run (>= 22.19), by the sbatch scripts and where the system's is too old. Default: the one npm installed with the project.",
  ),
  RAG_SETUP_SCRIPT: entry(
    'paths',
    optional,
    undefined,
    'Sourced by the sbatch scripts before anything starts. Default: `~/setup/ollama.sh` if it is there.',
  ),
  RAG_INPUT_FILE: entry(
    'work',
    optional,
    undefined,
    'What to ingest: file, folder, glob or @list of paths.',
    { repeatable: true },
  ),
  RAG_REHASH: entry(
    'work',
    flagValue,
    '0',
    'Read every file of an ingest again, also those whose size and times are what they were.',
  ),
  RAG_PRUNE: entry(
    'work',
    flagValue,
    '0',
    'After an ingest, remove the documents of its input folders whose file is gone.',
  ),
  RAG_WATCH_SECONDS: entry(
    'work',
    whole(0, 86_400),
    '30',
    'In mode serve, the least time from one look for new and changed files to the next; 0: none are looked for.',
  ),
  RAG_TAKEOVER_SECONDS: entry(
    'work',
    whole(1, 86_400),
    '120',
    'Of several tasks that share an ingest: one that shows no sign of life for so long has left its part to the others.',
  ),
  RAG_WORKER_MODE: entry(
    'work',
    text,
    'auto',
    '`ingest`, `query` or `serve`; any other value is a tag for logs. `auto`: `serve` inside a job, outside one what was given.',
    { flag: 'mode', choices: ['ingest', 'query', 'serve'] },
  ),
  RAG_SERVICES: entry(
    'work',
    services.optional(),
    undefined,
    'Which of `embed,rerank,generate` the job needs. Default: by mode.',
    { choices: ['embed', 'rerank', 'generate'] },
  ),
  RAG_ENGINE: entry(
    'work',
    z.enum(['auto', 'ollama', 'embedded'], 'is not one of auto, ollama, embedded'),
    'auto',
    '`ollama`, or `embedded`: a small engine without a model, for dry runs and tests.',
  ),
  ...ollamaSettings,
  RAG_RETRIEVER: entry(
    'encoder',
    retriever,
    'ollama',
    'What finds passages. `ollama`: OLLAMA_EMBED_MODEL fused with BM25. `medcpt`, `e5`, `contriever`, `specter` or a Hugging Face folder: that encoder alone, run by RERANKER_PYTHON. `bm25`: words alone, no model at all. `bm25+NAME`: an encoder fused with BM25. `rrf2`, `rrf4`: the fusions of MedRAG. Names are looked up in the Hugging Face cache, `NAME=FOLDER` in a folder of models.',
    { choices: ['ollama', 'bm25', 'medcpt', 'e5', 'contriever', 'specter', 'rrf2', 'rrf4'] },
  ),
  RAG_CORPUS: entry(
    'encoder',
    optional,
    undefined,
    "What to ingest beside RAG_INPUT_FILE: MedRAG's name of a corpus or set (`MedCorp`, `MedText`, `Textbooks`, ...), or a file or folder in RAG_DB_DIR, as FlashRAG's corpora are.",
  ),
  RAG_DB_DIR: entry(
    'encoder',
    optional,
    undefined,
    "MedRAG's data folder, with `<corpus>/chunk/*.jsonl` in it; only the passages are read, not its indexes.",
  ),
  RAG_EMBED_DIMENSIONS: entry(
    'encoder',
    whole(8, 65_536).optional(),
    undefined,
    "Dimensions of the vectors. Default: the model's own; 1024 for qwen3-embedding.",
  ),
  RAG_VECTOR_TYPE: entry(
    'encoder',
    z.enum(['f16', 'f32'], 'is not one of f16, f32'),
    'f16',
    'How vectors are stored.',
  ),
  RAG_CHUNK_TOKENS: entry('encoder', whole(16, 32_768), '512', 'Target size of a chunk, in tokens.'),
  RAG_CHUNK_OVERLAP: entry('encoder', whole(0, 16_384), '64', 'Overlap of neighbouring chunks, in tokens.'),
  RAG_QUERY_INSTRUCTION: entry(
    'encoder',
    optional,
    undefined,
    "Instruction in front of a query, for models that take one. Default: the model family's.",
  ),
  RAG_PARSER: entry(
    'encoder',
    outsideParser.optional(),
    undefined,
    'Reads PDFs and pictures in place of the built-in readers: `mineru` (2 or 3), `docling`, a path to one of them, or a command with `{input}` and `{output}`. On the CPU, unless RAG_GPUS has a `parser=`.',
  ),
  RAG_CANDIDATES: entry('retrieval', whole(1, 10_000), '100', 'Candidates taken from each retriever.'),
  RAG_RRF_K: entry(
    'retrieval',
    whole(1, 10_000).optional(),
    undefined,
    'Constant of reciprocal rank fusion. Default: 60; 100 with RAG_RETRIEVER `rrf2` and `rrf4`, as in MedRAG.',
  ),
  RAG_TOPK: entry(
    'retrieval',
    whole(1, 1000),
    '5',
    "Passages in an answer's prompt, and hits of `retrieve`.",
  ),
  RAG_MIN_SCORE: entry(
    'retrieval',
    fraction,
    '0.01',
    'Below this score of the reranker (0-1) a passage is not relevant.',
  ),
  ...rerankerSettings,
  NUM_TRAIN_GPUS: entry(
    'gpus',
    whole(1, 1024).optional(),
    undefined,
    'How many GPUs the workload gets, from the front. Default: all but one.',
  ),
  RETRIEVER_GPU: entry(
    'gpus',
    positionOrCpu.optional(),
    undefined,
    "Position of the GPU of an encoder outside Ollama in the job's list, or `cpu`. Default: the reranker's, else the last.",
  ),
  RAG_GPUS: entry(
    'gpus',
    optional,
    undefined,
    'The split in one line, e.g. `ollama=0-2,reranker=3`; wins over the other settings of this group. Shares: `ollama`, `reranker`, `retriever`, `workload`, `parser`.',
  ),
  RAG_LAYOUTS: entry(
    'gpus',
    z.enum(['auto', 'one', 'two'], 'is not one of auto, one, two'),
    'auto',
    "Whether embed servers and generator share the GPUs from the start (`one`), or the GPUs are the embed servers' until all is ingested, then the generator's (`two`). `auto`: two where the estimate finds no room for both.",
  ),
  RAG_BIND: entry(
    'endpoint',
    z.enum(['127.0.0.1', 'node'], 'is neither 127.0.0.1 nor node'),
    '127.0.0.1',
    "Where the endpoint listens: on this node only, or (`node`) also on the cluster's network, for who holds a token.",
  ),
  RAG_PORT: entry('endpoint', whole(0, 65_535), '0', 'Port of the endpoint; 0 chooses.'),
  RAG_MAX_UPLOAD_MIB: entry(
    'endpoint',
    whole(1, 2 ** 24),
    '16384',
    'The largest file that the endpoint takes.',
  ),
  RAG_SHARE_GROUP: entry(
    'endpoint',
    optional,
    undefined,
    'A Unix group of yours whose members may read the tokens of the endpoint.',
  ),
  RAG_DRAIN_SECONDS: entry(
    'job',
    whole(0, 86_400),
    '120',
    'Longest time that a workload has to end when the wall time nears.',
  ),
  RAG_MAX_REQUEUES: entry(
    'job',
    whole(0, 1000),
    '5',
    'How often a job whose wall time ends before its work is put back into the queue at most.',
  ),
  RAG_IDLE_TIMEOUT: entry('job', text, 'off', 'Ends an idle service after so many seconds.', {
    works: ['off'],
  }),
  RAG_MAX_FAILED: entry(
    'job',
    failedLimit,
    '5%',
    'Failed documents or questions that are tolerated: `N` or `P%`.',
  ),
  RAG_WORKLOAD_SIGNAL: entry(
    'job',
    signalName,
    'TERM',
    'What the workload is sent when the wall time nears, e.g. `USR1`.',
  ),
  RAG_START_SECONDS: entry(
    'job',
    whole(1, 86_400),
    '900',
    'How long `rag_retriever_node.sbatch` waits for its retriever before it starts the training.',
  ),
  RAG_CONTAINMENT: entry(
    'job',
    z.enum(['auto', 'pidns', 'guard'], 'is not one of auto, pidns, guard'),
    'auto',
    'How processes are kept from outliving the job: in pid namespaces, by a guard alone, or as the machine allows.',
  ),
  RAG_ALLOW_CPU: entry('job', flagValue, '0', 'Run models on the CPU where there is no GPU.'),
} as const satisfies Record<string, SettingEntry>;

export type SettingName = keyof typeof settingsTable;

/** Every setting with its checked value; the paths that default to a place under another are filled in. */
export type Settings = {
  readonly [K in SettingName]: K extends DerivedPath ? string : z.output<(typeof settingsTable)[K]['schema']>;
};

type DerivedPath = 'RAG_RUNTIME_STATE' | 'RAG_WORKING_DIR' | 'OLLAMA_MODELS';

export const settingNames: readonly SettingName[] = Object.keys(settingsTable) as SettingName[];

export const entryOf = (name: SettingName): SettingEntry => settingsTable[name];

/** `RAG_WORKING_DIR` -> `working-dir`, `OLLAMA_PORT` -> `ollama-port`. */
export const flagOf = (name: SettingName): string =>
  entryOf(name).flag ?? name.replace(/^RAG_/, '').toLowerCase().replaceAll('_', '-');

export const isSwitch = (name: SettingName): boolean => entryOf(name).schema === flagValue;
