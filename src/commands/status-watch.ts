/** `status --watch`: again whenever it changes, until the job has ended. Reads files; Slurm is asked where there are none. */
import { join } from 'node:path';
import { codeOf } from '../errors.ts';
import { type Chosen, chooseSupervisor, readFateOf } from '../job/life/supervisors.ts';
import { clock, day } from '../observe/log-line.ts';
import { durationText } from '../observe/pace.ts';
import { readSupervisor, type SupervisorRecord } from '../services/state-file.ts';
import { type Fate, isComing, readFate } from '../slurm/fate.ts';
import { pause } from '../supervise/pause.ts';
import { type Look, lookJson, lookLines } from './status-text.ts';
import { usualColumns, type VerbInput } from './verb.ts';

const lookEveryMs = 1000;
/** A log is not to be flooded with numbers that grow. */
const progressEveryMs = 30_000;
/** Its controller serves a whole cluster. */
const askSlurmEveryMs = 30_000;
const slurmTimeoutMs = 10_000;

/** @returns 0 also when it was the watch that was ended, and not the job. @throws no-input */
export async function watchStatus(input: VerbInput, folder: string): Promise<number> {
  const { environment: env, signal } = input;
  const chosen = await untilThere(input, folder);
  if (chosen === undefined) return 0;
  // This one, whichever is the newest later on.
  const path = join(folder, `${chosen.record.name}.json`);
  const lookAt = async (record: SupervisorRecord): Promise<Look> => {
    const fate = await readFateOf(record, { env, timeoutMs: slurmTimeoutMs, signal });
    return { record, others: chosen.others, fate };
  };
  let look = await lookAt(chosen.record);
  using view = openView(input, look);
  while (look.record.presence === 'running' && (await pause(lookEveryMs, signal)) !== 'aborted') {
    look = await lookAt((await readSupervisor(path, new Date())) ?? look.record);
    view.show(look);
  }
  return 0;
}

/** A job may wait for days; one that Slurm does not know is none. Undefined: the watch was ended. */
async function untilThere(
  { line, environment: env, signal, tell }: VerbInput,
  folder: string,
): Promise<Chosen | undefined> {
  const [job] = line.positionals;
  let askedAtMs = -Infinity;
  let told: string | undefined;
  do {
    try {
      return await chooseSupervisor(folder, job);
    } catch (error) {
      if (codeOf(error) !== 'no-input' || job === undefined) throw error;
      if (performance.now() - askedAtMs < askSlurmEveryMs) continue;
      askedAtMs = performance.now();
      const fate: Fate | undefined = await readFate(job.split('.')[0] ?? '', {
        env,
        timeoutMs: slurmTimeoutMs,
        signal,
      });
      if (fate === undefined || !isComing(fate)) throw error;
      if (fate.state !== told) tell(`waiting for job ${job}: Slurm says ${fate.state}`);
      told = fate.state;
    }
  } while ((await pause(lookEveryMs, signal)) !== 'aborted');
  return undefined;
}

interface View extends Disposable {
  show(look: Look): void;
}

function openView(input: VerbInput, first: Look): View {
  const { line, openScreen, print, paint, columns } = input;
  const width = columns ?? usualColumns;
  if (line.switches.has('json')) return openBlocks(first, (look) => print(lookJson(look)));
  const linesOf = (look: Look, columns: number): string[] => lookLines(look, { columns, paint: paint.out });
  if (openScreen === null || first.record.presence !== 'running') {
    const head = ({ record: { presence } }: Look): string[] =>
      openScreen === null && presence === 'running' ? [`--- ${day(new Date())} ${clock(new Date())}`] : [];
    return openBlocks(first, (look) => print([...head(look), ...linesOf(look, width), ''].join('\n')));
  }
  const screen = openScreen();
  let latest = first;
  let drawnFor = width;
  const draw = (): void =>
    screen.draw((now) => {
      drawnFor = now;
      return [paint.out('dim', headText(latest)), '', ...linesOf(latest, now)];
    });
  draw();
  return {
    show: (look) => {
      latest = look;
      draw();
    },
    // The last state stays when the screen goes.
    [Symbol.dispose]: () => {
      screen[Symbol.dispose]();
      print(linesOf(latest, drawnFor).join('\n'));
    },
  };
}

const headText = ({ record: { name, ageMs } }: Look): string =>
  `${name}  ${clock(new Date())}  state of ${durationText(ageMs / 1000)} ago  Ctrl-C ends the watch, not the job`;

/** One after the other: where a file or a program reads them. */
function openBlocks(first: Look, write: (look: Look) => void): View {
  let [before, beforeWithoutProgress] = ['', ''];
  let writtenAtMs = -Infinity;
  const show = (look: Look): void => {
    const { heartbeat: _beat, written_at: _at, time_left_s: _left, ...state } = look.record.state;
    const { progress: _progress, retrieval: _retrieval, ...steady } = state;
    const now = JSON.stringify([look.record.presence, state]);
    const withoutProgress = JSON.stringify([look.record.presence, steady]);
    const isDue = performance.now() - writtenAtMs >= progressEveryMs;
    if (withoutProgress === beforeWithoutProgress && (now === before || !isDue)) return;
    [before, beforeWithoutProgress] = [now, withoutProgress];
    writtenAtMs = performance.now();
    write(look);
  };
  show(first);
  return { show, [Symbol.dispose]: () => undefined };
}
