import { readCommandLineSettings } from '../doctor/settings.ts';
import { examine } from '../doctor/examine.ts';
import { lookAtBatchScript } from '../doctor/batch-script.ts';
import { sourceSetupScript } from '../doctor/setup-script.ts';
import type { Finding } from '../doctor/types.ts';
import { errorTable } from '../errors.ts';
import type { Style } from '../observe/paint.ts';
import { withoutControls } from '../observe/terminal.ts';
import { hanging } from '../observe/width.ts';
import { asCalled } from './called-as.ts';
import type { HelpView } from './help.ts';
import { jsonFlag, type Verb } from './verb.ts';

export const doctorVerb: Verb = {
  summary: 'Everything that a run needs, one line each, and the command that mends it.',
  usage: 'doctor [--sbatch FILE] [--json] [options of run]',
  examples: [
    'node dist/supervisor.js doctor',
    'node dist/supervisor.js doctor --sbatch sbatch/rag_allinone.sbatch',
    'srun --gres=gpu:1 node dist/supervisor.js doctor   # as a compute node sees it',
  ],
  settings: ['paths', 'work', 'ollama', 'reranker', 'gpus'],
  flags: {
    json: jsonFlag,
    sbatch: { kind: 'value', meaning: 'A batch script to look at before it is submitted.' },
  },
  async run({ line, environment: given, signal, print, paint: { out: paint }, columns }) {
    const json = line.switches.has('json');
    const findings: Finding[] = [];
    const tell = (finding: Finding): void => {
      findings.push(finding);
      if (!json) print(findingText(finding, { paint, columns: columns ?? Infinity, path: given['PATH'] }));
    };
    const { environment, findings: ofSetUp } = await sourceSetupScript(given, signal);
    ofSetUp.forEach(tell);
    const { patient, problems } = readCommandLineSettings(line, environment, signal);
    problems.forEach(tell);
    if (patient !== undefined) await examine(patient, tell);
    const file = line.values['sbatch'];
    if (file !== undefined) (await lookAtBatchScript({ file, environment, signal })).forEach(tell);
    const count = (state: Finding['state']): number => findings.filter((each) => each.state === state).length;
    const counts = `${count('failure')} failures, ${count('warning')} warnings`;
    print(json ? JSON.stringify({ findings }) : paint(count('failure') > 0 ? 'bad' : 'good', counts));
    return count('failure') > 0 ? errorTable.preflight.exit : 0;
  },
};

interface FindingView extends HelpView {
  /** PATH of the caller. */
  readonly path: string | undefined;
}

/** What mends it stays on one line, to be pasted. */
function findingText({ state, about, what, mend }: Finding, { columns, paint, path }: FindingView): string {
  const [first = '', ...more] = hanging(withoutControls(`${about}: ${what}`), stateColumns, columns);
  return [
    `${paint(styles[state], state.padEnd(stateColumns))}${first.trimStart()}`,
    ...more,
    ...(mend === undefined
      ? []
      : [`${' '.repeat(stateColumns)}${withoutControls(asCalled(mend, { path }))}`]),
  ].join('\n');
}

const stateColumns = 9;

const styles: Readonly<Record<Finding['state'], Style>> = { ok: 'good', warning: 'warn', failure: 'bad' };
