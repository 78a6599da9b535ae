/** What is asked of `POST /ingest`, and the lines that it answers. */
import { z } from 'zod';
import { sightSchema } from '../../disk/sight.ts';
import { hashSchema } from './upload.ts';

const id = z.string().regex(/^[\w-]{8,64}$/, 'is no name of an ingest: 8 to 64 letters, digits, _ or -');

export const ingestBodySchema = z.object({
  id,
  /** Of this machine, or of a disk that it shares with the client. */
  paths: z
    .object({
      inputs: z.array(z.string().min(1)).min(1).max(10_000),
      /** The folder that relative ones are below. */
      from: z.string().regex(/^\//, 'is no absolute path'),
      /** What the client sees there; it must be what is seen here. */
      sight: z.array(sightSchema).min(1).max(1000),
      rehash: z.boolean().nullish(),
      prune: z.boolean().nullish(),
    })
    .optional(),
  /** What was sent before, by its hash. */
  files: z
    .array(
      z.object({ name: z.string(), title: z.string().nullish(), hash: hashSchema, bytes: z.int().min(0) }),
    )
    .min(1)
    .optional(),
});

/** A line of the answer; `report` or `error` is the last. */
export const ingestLineSchema = z.union([
  z.object({ ingest: z.object({ id, state: z.enum(['waiting', 'running']) }) }),
  z.object({ progress: z.looseObject({ documentsDone: z.int(), documentsTotal: z.int().nullable() }) }),
  z.object({
    report: z.looseObject({
      documents: z.record(z.string(), z.int()),
      chunks: z.int(),
      complete: z.boolean(),
    }),
  }),
  z.object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() }) }),
]);
