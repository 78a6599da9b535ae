/** An answer for people: the text, then its sources with file and page. */
import type { AnswerRecord, Citation, Hit } from '../work.ts';
import { withoutControls } from './terminal.ts';

export const answerText = (record: AnswerRecord): string =>
  `${withoutControls(record.answer)}\n${afterAnswer(record)}`;

/** What stands below an answer, also below one that was printed as it came: its sources, and what to doubt. */
export function afterAnswer(record: AnswerRecord): string {
  const doubtful = record.sentences.filter(
    ({ support }) => support === 'unsupported' || support === 'uncited',
  ).length;
  const dropped = record.citations_dropped;
  return withoutControls(
    [
      ...(record.model.startsWith('embedded-')
        ? ['', `(${record.model}: sentences are quoted, no model has read them)`]
        : []),
      '',
      ...record.citations.map((citation) => `[${citation.n}] ${source(citation)}`),
      ...(doubtful > 0
        ? ['', `${doubtful} of ${record.sentences.length} sentences are not supported by a cited passage.`]
        : []),
      ...(dropped > 0 ? ['', `Numbers cited that no passage has: ${dropped}.`] : []),
    ].join('\n'),
  );
}

export const hitLine = (hit: Pick<Hit, 'title' | 'file' | 'page' | 'score' | 'text'>, rank: number): string =>
  withoutControls(`${rank}. ${hit.score.toFixed(4)}  ${source(hit)}\n   ${shorten(hit.text, 200)}`);

const source = ({ title, file, page }: Pick<Citation, 'title' | 'file' | 'page'>): string =>
  `${file}${page === null ? '' : `, page ${page}`}${title === '' ? '' : ` (${title})`}`;

const shorten = (text: string, length: number): string => {
  const flat = text.replaceAll(/\s+/g, ' ');
  return flat.length <= length ? flat : `${flat.slice(0, length)}...`;
};

/** After the dry run. */
export const whatToTryNext = `
That was the dry run: the whole path without a GPU and without a model. Try next:
  node dist/supervisor.js --input-file DIR --query "..."    your own documents
  node dist/supervisor.js plan                              what a job would do here
  sbatch sbatch/rag_allinone.sbatch                         the service, with models, on GPUs`;
