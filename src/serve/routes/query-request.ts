import { z } from 'zod';
import { filterField } from './retrieve-request.ts';

const count = z.int().min(0).nullish();

/** LightRAG's other fields (`mode`, `conversation_history`, ...) are accepted and without effect. */
export const queryBody = z
  .object({
    query: z
      .string()
      .refine((query) => query.trim() !== '', 'Too small: a question is wanted')
      .describe('The question.'),
    topk: count.describe("Passages in the prompt; the supervisor's RAG_TOPK when missing, null or 0."),
    chunk_top_k: count.describe("LightRAG's name of `topk`."),
    top_k: count.describe("LightRAG's older name of `topk`."),
    include_references: z.boolean().nullish().describe('False leaves `references` out.'),
    filter: filterField,
  })
  .meta({ id: 'QueryBody' });

export type QueryBody = z.infer<typeof queryBody>;
