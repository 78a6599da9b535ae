/** An evaluation in this process: services up, corpus in, questions asked, services down. */
import type { CommandLine } from '../config/flags.ts';
import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { lookAtCorpus } from '../job/eval/corpus.ts';
import { measure, type Measured } from '../job/eval/evaluation.ts';
import { evaluationFlags } from '../job/eval/settings.ts';
import { openProgress } from '../observe/progress.ts';
import { openSteps } from '../observe/steps.ts';
import type { Collection } from '../query/eval/collection.ts';
import { withServicesHere } from './here.ts';
import { filterOf, type VerbInput } from './verb.ts';

/** @param depth documents of a ranking. @throws stopped, and what services throw */
export async function measureHere(
  input: VerbInput,
  collection: Collection,
  depth: number,
): Promise<Measured> {
  const { line, signal } = input;
  const filter = filterOf(line);
  // A job's own RAG_INPUT_FILE is not what is evaluated.
  const environment = { ...input.environment, RAG_INPUT_FILE: undefined };
  const loaded = load({ flags: line.settings, environment, file: line.values['config'] });
  const useIndex = line.switches.has('use-index') || collection.corpus === undefined;
  const corpus = useIndex ? undefined : collection.corpus;
  const look = corpus === undefined ? undefined : await lookAtCorpus({ ...collection, corpus }, signal);
  const words = {
    ...line,
    positionals: [],
    switches: new Set([...line.switches, 'here']),
    settings: { ...line.settings, ...evaluationFlags(loaded, collection, look && { ...look, corpus }) },
    values: { ...line.values, ...(useIndex ? { query: collection.name } : {}) },
  };
  const found: { measured?: Measured } = {};
  try {
    await withServicesHere({ ...input, environment, line: words }, words, async (open, stop) => {
      using bar = openProgress(input);
      using steps = openSteps(input, 'eval');
      const topk = open.prepared.settings.RAG_TOPK;
      const onIngest = bar.show.bind(bar);
      const onStep = steps.show.bind(steps);
      found.measured = await measure(
        open,
        { collection, corpus, depth, topk, filter, onIngest, onStep },
        stop,
      );
      return 0;
    });
  } catch (error) {
    throw signal.aborted ? stopped() : error;
  }
  if (found.measured === undefined) throw stopped();
  return {
    ...found.measured,
    notes: [...(look?.notes ?? []), ...filterNotes(line), ...found.measured.notes],
  };
}

const filterNotes = ({ values }: CommandLine): string[] =>
  'filter' in values ? [`only passages with ${(values['filter'] ?? '').split('\n').join(' and ')}`] : [];

const stopped = (): RagError =>
  new RagError('stopped', 'Cannot finish the evaluation: it was stopped before the last question', {
    hint: 'the same command again: what is in the index stays there',
  });
