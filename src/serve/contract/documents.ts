/** Documents as they are listed, sent, removed, and ingested for a client. */
import { z } from 'zod';
import {
  documentsAnswerSchema,
  documentSchema,
  documentsQuerySchema,
  removeBodySchema,
  removedAnswerSchema,
} from '../routes/documents.ts';
import { ingestBodySchema, ingestLineSchema } from '../routes/ingest-request.ts';
import {
  contentAnswerSchema,
  missingAnswerSchema,
  missingBodySchema,
  textBodySchema,
  uploadAnswerSchema,
} from '../routes/upload.ts';
import { answer, json, lines, problem, type RouteContract } from './route.ts';

const ours: Pick<RouteContract, 'group' | 'who'> = { group: 'documents', who: 'everything' };

const hash = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const ofId = z.object({
  '*': z
    .string()
    .describe(
      'The id, as `GET /documents` and an upload tell it, percent-encoded; `/` may stand as it is: `uploads//my%20report.pdf`.',
    ),
});
const ofIngest = z.object({ id: z.string().describe('That the client gave it.') });

const unreadable = problem('It is not of this shape.');
const noDocument = problem('Neither the index nor an upload has it.');
const frozen = problem('The documents of this job do not change, or paths are not for this caller.');
const full = problem('The disk is full. Nothing of it was kept.');
const conflict = problem(
  'The documents of this job do not change; or the paths lead to other files here than where they were asked for.',
);
const changes = { 403: frozen, 409: conflict, 422: unreadable, 507: full };

const order = { id: 'nightly-0001', files: [{ name: 'a.md', hash, bytes: 5 }] };
const untilFound =
  'The answer comes before it is ingested. To wait until it can be found, ask `GET /documents/{rest}` with its id (`uploads//NAME`: `GET /documents/uploads//report.pdf`) until `state` is `processed`; `failed` and `needs_ocr` are ends, too, with their `reason`.';
const taken = answer(
  'It is on disk. It can be found as soon as its `state` is `processed`.',
  json(uploadAnswerSchema),
);
const told = answer('Lines of JSON until its end; `report` or `error` is the last.', lines(ingestLineSchema));

export const documentRoutes: readonly RouteContract[] = [
  {
    ...ours,
    method: 'GET',
    path: '/documents',
    summary: 'Documents of the index, and those that were sent, in the order of their ids.',
    query: documentsQuerySchema,
    answers: { 200: answer('A page of them.', json(documentsAnswerSchema)), 422: unreadable },
  },
  {
    ...ours,
    method: 'GET',
    path: '/documents/*',
    summary: 'One of them.',
    params: ofId,
    answers: { 200: answer('It is there.', json(documentSchema)), 404: noDocument },
  },
  {
    ...ours,
    method: 'DELETE',
    path: '/documents/*',
    summary: 'Takes it out of the index.',
    params: ofId,
    answers: { 200: answer('It is gone.', json(removedAnswerSchema)), ...changes, 404: noDocument },
  },
  {
    ...ours,
    method: 'POST',
    path: '/documents/remove',
    summary: 'Takes documents out of the index, by names and globs.',
    body: json(removeBodySchema, { names: ['drafts/**'], dry_run: true }),
    answers: { 200: answer('They are gone.', json(removedAnswerSchema)), ...changes },
  },
  {
    ...ours,
    method: 'POST',
    path: '/documents/upload',
    summary: 'Takes files, as a form.',
    about: `Files are kept by their hash; a name is what it is called and never a path: \`curl -F file=@report.pdf $RAG_URL/documents/upload\`. ${untilFound}`,
    body: { type: 'multipart/form-data', schema: z.object({ file: z.string().describe('One or several.') }) },
    answers: { 202: taken, ...changes },
  },
  {
    ...ours,
    method: 'POST',
    path: '/documents/text',
    summary: 'Takes texts.',
    about: `One, as below, a list of them, or \`{"texts": [...]}\`; at most 1,000. ${untilFound}`,
    body: json(textBodySchema, { text: '5 mg a day.', title: 'Dose' }),
    answers: { 202: taken, ...changes },
  },
  {
    ...ours,
    method: 'POST',
    path: '/documents/missing',
    summary: 'Which of these contents have to be sent.',
    body: json(missingBodySchema, { hashes: [hash] }),
    answers: { 200: answer('Those.', json(missingAnswerSchema)), 422: unreadable },
  },
  {
    ...ours,
    method: 'PUT',
    path: '/documents/contents/:hash',
    summary: 'Takes a content that an ingest gives its name.',
    params: z.object({ hash: z.string().describe('sha256 in hex, which the bytes must have.') }),
    body: { type: 'application/octet-stream', schema: z.string() },
    answers: { 200: answer('It is on disk.', json(contentAnswerSchema)), ...changes },
  },
  {
    ...ours,
    method: 'POST',
    path: '/ingest',
    summary: 'Ingests files that were sent, or paths that this process sees as the client does.',
    about:
      'The work goes on when the client leaves; the same id again is the same ingest. Paths are for the owner alone.',
    body: json(ingestBodySchema, order),
    answers: { 200: told, ...changes },
  },
  {
    ...ours,
    method: 'GET',
    path: '/ingest/:id',
    summary: 'How far an ingest is, until its end.',
    params: ofIngest,
    answers: { 200: told, 404: problem('There is no such ingest.') },
  },
  {
    ...ours,
    method: 'DELETE',
    path: '/ingest/:id',
    summary: 'Stops an ingest: what is embedded is committed.',
    params: ofIngest,
    answers: { 200: told, 404: problem('There is no such ingest.') },
  },
];
