/** The state of a supervisor as `/status` and `status --json` show it (job/shown/status.ts makes it). Fields may be added. */
import { z } from 'zod';

const count = z.int().min(0);
const nullable = <Schema extends z.ZodType>(schema: Schema, meaning: string): z.ZodNullable<Schema> =>
  schema.nullable().describe(meaning);

const device = z
  .object({
    device: z.string().describe('`cuda:0`, the first that it may see, or `cpu`.'),
    name: z.string().nullable(),
    dtype: z.string(),
    memory_bytes: nullable(count, 'Of its process.'),
    memory_peak_bytes: count.nullable(),
    memory_total_bytes: nullable(count, 'Of the device.'),
    pairs: count.describe('Of query and passage, scored since its start.'),
    pairs_per_s: z.number().nullable(),
    texts: count.describe('Encoded since its start.'),
    texts_per_s: z.number().nullable(),
    batch_size: nullable(count, 'In force.'),
  })
  .meta({ id: 'Device', description: 'What a Python child runs on.' });

const service = z
  .object({
    id: z.string(),
    state: z.enum(['pending', 'starting', 'ready', 'restarting', 'stopping', 'exited', 'failed']),
    gpus: z.array(z.string()),
    pid: z.int().nullable(),
    restarts: count,
    reason: nullable(z.string(), 'Of the last restart or failure.'),
    layout: nullable(z.enum(['ingest', 'answering']), 'In which of two it runs; null: in both.'),
    device: device.nullable(),
  })
  .meta({ id: 'Service' });

const progress = z.object({
  documents_done: count,
  documents_total: nullable(count, 'Null while it is not known.'),
  documents_failed: count.optional().describe('Of those that are done: set aside.'),
  eta_s: z.number().nullable(),
});

const vectorIndex = z.looseObject({}).nullable().describe('How the vectors are searched.');

const retrieval = z
  .object({
    queries: count,
    computed: count,
    cached: count,
    hit_rate: nullable(z.number().min(0).max(1), 'Of the cache; null before the first query.'),
    cache_entries: count,
    cache_bytes: count,
    vector_index: vectorIndex,
  })
  .describe('Since the start.');

const gateway = z
  .object({
    waiting: z.object({ generate: count, embed: count }).describe('Requests in line.'),
    instances: z.array(
      z.object({
        id: z.string(),
        under_way: count,
        at_once: count.describe('How many requests it is given.'),
      }),
    ),
    answered: count,
    sent_again: count,
    quarantined: count.describe('Requests that were refused because they had ended a server twice.'),
    held_bytes: count.describe('Of requests that wait or are under way, and of answers for slow clients.'),
  })
  .describe("What is asked of the models through Ollama's API and OpenAI's, since the start.");

export const status = z
  .object({
    job: z.string(),
    phase: z.enum(['starting', 'ingest', 'switching', 'answering', 'draining', 'ended']),
    services: z.array(service),
    progress,
    endpoint: z.object({ url: z.string().nullable(), socket: z.string().nullable() }),
    retriever: z.string(),
    containment: z.enum(['pidns', 'guard', 'death-signal', 'none', 'unknown']),
    network: z.enum(['private', 'shared', 'remote']),
    containment_reason: nullable(z.string(), 'Why it is not the strongest.'),
    time_left_s: nullable(count, 'Until the job must end; null without a limit.'),
    node: z.string(),
    step: nullable(z.string(), "Slurm's step that it is a task of."),
    pid: z.int(),
    warnings: z.array(z.string()),
    outcome: z.object({ exit: z.int(), reason: z.string() }).nullable(),
    retrieval,
    gateway,
    index: z.string().describe('Its folder.'),
    answers_at_once: count.describe('How many questions it works on at a time.'),
    ingests: z.array(z.looseObject({})).describe('Asked for by clients, and not over.'),
  })
  .meta({ id: 'Status' });
