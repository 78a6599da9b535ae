/** What `status` shows of a supervisor, for people. Pure. */
import { deviceText } from '../job/services/device.ts';
import { whenText } from '../job/life/layouts.ts';
import type { ContainmentName, SupervisorStatus } from '../job/shown/status.ts';
import { durationText } from '../observe/pace.ts';
import type { Paint, Style } from '../observe/paint.ts';
import { type Cell, type Column, tableLines } from '../observe/table.ts';
import { onOneLine } from '../observe/terminal.ts';
import { wrap } from '../observe/width.ts';
import type { SupervisorRecord } from '../services/state-file.ts';
import { type Fate, fateText } from '../slurm/fate.ts';

export interface StatusView {
  readonly columns: number;
  readonly paint: Paint;
}

/** What each cannot do, in words for a reader at 3 am. */
const gap: Readonly<Record<ContainmentName, string>> = {
  pidns: 'whatever is killed, nothing of Ollama is left; what sleeps uninterruptibly goes when it wakes',
  guard:
    'kill -9 of guard and supervisor at once leaves runners of Ollama until the job ends or starts again',
  'death-signal':
    'kill -9 of the supervisor and of Ollama together leaves its runners until the job ends or starts again',
  unknown: 'nothing has been started yet',
  none: 'kill -9 of the supervisor leaves its services until the job ends or starts again',
};

const reach: Readonly<Record<SupervisorStatus['network'], string>> = {
  private: 'nobody but this supervisor reaches Ollama',
  shared: 'other users of this node can reach Ollama on its loopback port; it asks nobody who he is',
  remote:
    'Ollama runs elsewhere (OLLAMA_HOST), and who reaches it there is decided there; the way to it is open to nobody else here',
};

/** A supervisor at one moment. */
export interface Look {
  readonly record: SupervisorRecord;
  /** Names of the others that were meant and run. */
  readonly others: readonly string[];
  /** What Slurm says of one that did not say itself how it ended. */
  readonly fate: Fate | undefined;
}

export const lookJson = ({ record, others, fate }: Look): string =>
  JSON.stringify({ ...record.state, presence: record.presence, fate: fate ?? null, others });

/** Lines, not longer than the view is wide. */
export const lookLines = ({ record, others, fate }: Look, view: StatusView): string[] => [
  ...statusLines(record, fate, view),
  ...others.map((name) => `beside it runs ${name}: status ${name}`),
];

function statusLines(
  { state, presence }: SupervisorRecord,
  fate: Fate | undefined,
  { columns, paint }: StatusView,
): string[] {
  const status = state as unknown as SupervisorStatus;
  const { phase, outcome, endpoint, services } = status;
  const isGone = presence === 'gone';
  const end = outcome ?? null;
  const ended: Style = end?.exit === 0 ? 'good' : 'bad';
  const fields: Field[] = [
    ['job', `${status.job} on ${status.node}`],
    isGone ? ['phase', `gone while ${phase}, without saying why`, 'bad'] : ['phase', phase, 'strong'],
    ...(fate === undefined ? [] : [['fate', fateText(fate), 'bad'] as const]),
    ...(end === null ? [] : [['ended', `with ${end.exit}: ${end.reason}`, ended] as const]),
    ['documents', documentsText(status.progress, status.time_left_s)],
    ...(status.time_left_s === null ? [] : [['time left', durationText(status.time_left_s)] as const]),
    ...(endpoint.url === null ? [] : [['endpoint', endpoint.url] as const]),
    ...status.warnings.map((warning) => ['warning', warning, 'warn'] as const),
  ];
  const promises: Field[] = [
    ['containment', `${status.containment}: ${gap[status.containment]}`],
    ['network', `${status.network}: ${reach[status.network]}`],
    ...(status.containment_reason === null ? [] : [['why not more', status.containment_reason] as const]),
  ];
  const view = { columns, paint };
  return [
    ...fields.flatMap((field) => fieldLines(field, view)),
    '',
    ...tableLines(serviceColumns, services.map(serviceRow), {
      width: columns,
      paint,
      notes: services.map(serviceNote),
    }),
    '',
    ...promises.flatMap((field) => fieldLines(field, view)),
  ];
}

type Field = readonly [name: string, text: string, style?: Style];

/** Under the longest name of a field. */
const indent = 13;

/** @param text may hold what somebody else wrote */
function fieldLines([name, text, style]: Field, { columns, paint }: StatusView): string[] {
  const lines = wrap(onOneLine(text), Math.max(20, columns - indent));
  return lines.map((line, at) => {
    const shown = style === undefined ? line : paint(style, line);
    return `${paint('dim', (at === 0 ? name : '').padEnd(indent))}${shown}`;
  });
}

function documentsText(
  {
    documents_done: done,
    documents_total: total,
    documents_failed: failed = 0,
    eta_s: eta,
  }: SupervisorStatus['progress'],
  timeLeft: number | null,
): string {
  const count = (value: number): string => value.toLocaleString('en');
  const of =
    total === null
      ? ''
      : ` of ${count(total)}${total === 0 ? '' : ` (${Math.floor((100 * done) / total)} %)`}`;
  const aside = failed === 0 ? '' : `, ${count(failed)} set aside`;
  if (eta === null || eta === 0) return `${count(done)}${of}${aside}`;
  const late = timeLeft !== null && eta > timeLeft ? ', which is more than the job has' : '';
  return `${count(done)}${of}, ${durationText(eta)} left${late}${aside}`;
}

const serviceColumns: readonly Column[] = [
  { title: 'service' },
  { title: 'state' },
  { title: 'GPUs', flexible: true },
  { title: 'restarts', right: true },
];

const styles: Readonly<Record<string, Style>> = {
  ready: 'good',
  starting: 'warn',
  restarting: 'warn',
  stopping: 'warn',
  failed: 'bad',
};

type Service = SupervisorStatus['services'][number];

function serviceRow({ id, state, gpus, restarts }: Service): Cell[] {
  const style = styles[state];
  return [
    onOneLine(id),
    style === undefined ? state : { text: state, style },
    gpus.join(', ') || '-',
    String(restarts),
  ];
}

const serviceNote = ({ reason, layout, device }: Service): string =>
  [
    ...(reason === null ? [] : [onOneLine(reason)]),
    whenText({ layout }).replace(/^, /, ''),
    // A state file of an older version has none.
    ...(device == null ? [] : [deviceText(device)]),
  ]
    .filter((text) => text !== '')
    .join('; ');
