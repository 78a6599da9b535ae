/** An index, the runs that work at it, and what is true of it by what was acknowledged. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../../src/errors.ts';
import { consolidate } from '../../../src/store/consolidate/consolidate.ts';
import { known } from '../../../src/store/write/known.ts';
import { openIndex } from '../../../src/store/operations.ts';
import { makeTag } from '../../../src/store/versions/tags.ts';
import type { ChunkRow, FailureRow } from '../../../src/store/types.ts';
import { newestVersion } from '../../../src/store/versions/versions.ts';
import { readView } from '../../../src/store/view.ts';
import { encoder } from '../samples.ts';
import { editionName, packed, rowsOfEdition } from './editions.ts';
import type { Trouble } from './effects.ts';
import { look, lookAtTag } from './look.ts';
import { beginRun, bury, silence, type Plan, type Run, type RunKind } from './run.ts';
import type { Step } from './step.ts';
import { Truth, type Change } from './truth.ts';

/** A request of a run that may meet trouble. */
interface Attempt<Out> {
  readonly work: () => Promise<Out>;
  readonly trouble: Trouble | undefined;
  /** What it does to documents, if it is done. */
  readonly changes: readonly Change[];
  readonly acknowledged?: (out: Out) => void;
  /** The next process of the run sends it again. */
  readonly again: (next: Run) => Promise<void>;
}

export class World implements AsyncDisposable {
  readonly root: string;
  readonly truth = new Truth();
  readonly #kinds: readonly RunKind[];
  readonly #runs: (Run | undefined)[];
  readonly #ended: Run[] = [];
  #tags = 0;

  constructor(root: string, kinds: readonly RunKind[]) {
    this.root = root;
    this.#kinds = kinds;
    this.#runs = kinds.map(() => undefined);
  }

  async step(step: Step): Promise<void> {
    const at = this.#indexFor(step);
    if (at === undefined) return;
    const run = await this.#runAt(at);
    switch (step.does) {
      case 'asks':
        return this.#ask(run, step.document, step.edition);
      case 'commits':
        return this.#commit(run, step.rows, step.trouble);
      case 'drops':
        run.plans = run.plans.filter(({ document }) => document !== step.document);
        return;
      case 'sets aside':
        return as(run, () => run.writer.recordFailures([failureOf(step.document)]));
      case 'removes':
        return this.#remove(run, step.documents, step.trouble);
      case 'consolidates':
        return this.#consolidate(run, step.trouble);
      case 'tags':
        return this.#tag(run, step.trouble);
      case 'releases':
        await as(run, () => run.writer.release());
        return this.#die(at, run);
      case 'dies':
        return this.#die(at, run);
      case 'is believed dead':
        return silence(run);
      case 'wakes': {
        const { waking } = run;
        run.waking = undefined;
        return waking?.();
      }
    }
  }

  /** The run that is named or, where that one sleeps, the next; who is to wake is one that sleeps. */
  #indexFor({ run, does }: Step): number | undefined {
    const all = this.#runs.map((_, at) => (run + at) % this.#runs.length);
    const sleeps = (at: number): boolean => this.#runs[at]?.waking !== undefined;
    return does === 'dies' ? all[0] : all.find((at) => sleeps(at) === (does === 'wakes'));
  }

  async #runAt(at: number): Promise<Run> {
    const kind = this.#kinds[at] ?? assert.fail();
    return (this.#runs[at] ??= await beginRun(this.root, kind, { name: `run${at}`, plans: [] }));
  }

  async #ask(run: Run, document: string, edition: number): Promise<void> {
    if (run.plans.some((plan) => plan.document === document)) return;
    const { writer, folder } = run;
    const since = this.truth.changes(document);
    const found = await as(run, async () =>
      known(await readView(folder, writer.own()), [document], writer.own()?.name, writer.saw),
    );
    const { done = null, committed = [] } = found.get(document) ?? {};
    const rows = rowsOfEdition(document, edition);
    const hash = rows[0]?.hash ?? assert.fail();
    if (done === hash) return;
    const rest = rows.filter(({ chunk, ordinal }) => ordinal === 0 || !committed.includes(chunk));
    run.plans.push({ document, edition: editionName(document, edition), hash, rest, since });
  }

  /** @param picks of which plan each next row comes */
  async #commit(run: Run, picks: readonly number[], trouble: Trouble | undefined): Promise<void> {
    const rows: ChunkRow[] = [];
    const plans = new Set<Plan>();
    for (const pick of picks) {
      const open = run.plans.filter(({ rest }) => rest.length > 0);
      const plan = open[pick % Math.max(1, open.length)];
      if (plan === undefined) continue;
      rows.push(plan.rest.shift() ?? assert.fail());
      plans.add(plan);
    }
    run.plans = run.plans.filter(({ rest }) => rest.length > 0);
    if (rows.length > 0) await this.#append(run, rows, [...plans], trouble);
  }

  async #append(
    run: Run,
    rows: readonly ChunkRow[],
    plans: readonly Plan[],
    trouble: Trouble | undefined,
  ): Promise<void> {
    const completing = plans.filter(({ rest }) => rest.length === 0);
    await this.#attempt(run, {
      work: () => run.writer.append(packed(rows)),
      trouble,
      changes: completing.map(({ document, edition }) => [document, edition] as const),
      acknowledged: (complete) => {
        const undisturbed = plans.filter(({ document, since }) => this.truth.isUndisturbed(document, since));
        for (const plan of undisturbed)
          this.truth.keep(
            plan.document,
            plan.edition,
            rows.filter(({ hash, ordinal }) => hash === plan.hash && ordinal > 0).map(({ chunk }) => chunk),
          );
        for (const plan of completing) {
          const isDone = complete.some(({ hash }) => hash === plan.hash);
          if (isDone) this.truth.acknowledge([plan.document, plan.edition], plan.since);
          else
            assert.ok(!undisturbed.includes(plan), `${plan.edition} was refused, and nobody else changed it`);
        }
      },
      again: (next) => this.#append(next, rows, plans, undefined),
    });
  }

  async #remove(run: Run, documents: readonly string[], trouble: Trouble | undefined): Promise<void> {
    const changes = documents.map((document) => [document, ''] as const);
    const since = documents.map((document) => this.truth.changes(document));
    await this.#attempt(run, {
      work: async () => run.writer.remove(documents, await newestVersion(run.folder)),
      trouble,
      changes,
      acknowledged: () => changes.forEach((change, at) => this.truth.acknowledge(change, since[at] ?? 0)),
      again: (next) => this.#remove(next, documents, undefined),
    });
  }

  async #consolidate(run: Run, trouble: Trouble | undefined): Promise<void> {
    await this.#attempt(run, {
      work: async () => {
        run.writer.leaveShards();
        await consolidate(run.folder, encoder);
      },
      trouble,
      changes: [],
      again: (next) => this.#consolidate(next, undefined),
    });
  }

  async #tag(run: Run, trouble: Trouble | undefined): Promise<void> {
    const name = `tag${this.#tags++}`;
    await this.#attempt(run, {
      work: () =>
        makeTag(run.folder, name, () => new Date()).catch((error: unknown) => {
          if (codeOf(error) === 'no-input') return undefined; // there is nothing yet
          throw error;
        }),
      trouble,
      changes: [],
      again: async () => undefined,
    });
    await lookAtTag(this.root, name);
  }

  /** What is not answered may have happened. Who dies is started again and sends its last request again. */
  async #attempt<Out>(run: Run, attempt: Attempt<Out>): Promise<void> {
    const { work, changes, trouble } = attempt;
    // Who is suspended here is seen to live, and others wait for him.
    const met = trouble?.fate === 'sleeps' && run.kind.where === 'here' ? undefined : trouble;
    const { done, asleep } = run.life.run(work, met);
    const ended = done.then(
      () => 'ended' as const,
      () => 'ended' as const,
    );
    if ((await Promise.race([ended, asleep])) === 'ended') return this.#settle(run, attempt, done, met);
    this.truth.begin(run, changes);
    await silence(run);
    run.waking = async () => {
      run.life.wake();
      await ended;
      this.truth.end(run);
      await this.#settle(run, attempt, done, met);
    };
  }

  async #settle<Out>(
    run: Run,
    { changes, acknowledged, again }: Attempt<Out>,
    done: Promise<Out>,
    met: Trouble | undefined,
  ): Promise<void> {
    const result = await done.then(
      (out) => ({ out }),
      (error: unknown) => ({ error }),
    );
    if (run.life.state === 'dead') {
      this.truth.perhaps(changes);
      const next = await this.#restart(run);
      if (next !== undefined) await again(next);
    } else if ('out' in result) acknowledged?.(result.out);
    else {
      // Whoever wakes finds that others have done his work; he and who finds the disk full end with the error.
      if (met === undefined) throw result.error;
      this.truth.perhaps(changes);
      run.plans = [];
    }
  }

  async #restart(run: Run): Promise<Run | undefined> {
    const at = this.#runs.indexOf(run);
    await this.#bury(run);
    return at < 0 ? undefined : (this.#runs[at] = await beginRun(this.root, run.kind, run));
  }

  async #die(at: number, run: Run): Promise<void> {
    this.truth.end(run);
    await this.#bury(run);
    this.#runs[at] = undefined;
  }

  async #bury(run: Run): Promise<void> {
    this.#ended.push(run);
    await bury(run);
  }

  /** All end, one more consolidates: nothing is left but what may yet be finished. */
  async end(): Promise<void> {
    for (const run of this.#runs.keys()) await this.step({ run, does: 'wakes' });
    for (let tag = 0; tag < this.#tags; tag++) await lookAtTag(this.root, `tag${tag}`);
    await look(this.root, this.truth, false);
    for (const [run, begun] of this.#runs.entries())
      if (begun !== undefined) await this.step({ run, does: 'releases' });
    // Who looked may have made an index for what they left: that is a sign of life.
    for (const run of this.#ended) await silence(run);
    const last = await beginRun(this.root, { where: 'here', aheadMs: 0 }, { name: 'last', plans: [] });
    this.#runs[0] = last;
    await as(last, () => consolidate(last.folder, encoder));
    await look(this.root, this.truth, true);
    const { problems, pending, shards } = await openIndex(this.root, () => undefined).verify();
    assert.deepEqual(problems, []);
    const folder = path.join(this.root, 'shards');
    const left = (await readdir(folder).catch(() => [])).filter((name) =>
      existsSync(path.join(folder, name, 'owner.json')),
    );
    assert.equal(left.length, shards, `shards that are not of chunks: ${left.join(' ')}`);
    assert.equal(pending > 0, shards > 0, `${shards} shards of ${pending} pending rows`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#runs) if (run !== undefined) await bury(run);
  }
}

const as = <Out>(run: Run, work: () => Promise<Out>): Promise<Out> => run.life.run(work).done;

const failureOf = (document: string): FailureRow => ({
  document,
  hash: 'of what it was',
  file: `/corpus/${document}`,
  state: 'failed',
  reason: 'empty',
});
