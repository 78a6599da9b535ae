/** What the index must show, by what was acknowledged: a plain map, and what may have happened besides. */
import assert from 'node:assert/strict';

/** The name of an edition; '' where the document is not there. */
export type State = string;
export type Change = readonly [document: string, state: State];

const named = (state: State): string => (state === '' ? 'not there' : state);

export class Truth {
  /** One state of each document, unless something was not answered, or two did not know of each other. */
  readonly #possible = new Map<string, ReadonlySet<State>>();
  /** What is under way, of runs that sleep. */
  readonly #open = new Map<object, readonly Change[]>();
  readonly #changes = new Map<string, number>();
  /** Chunks of editions that are not complete, acknowledged since the document last changed. */
  readonly #pending = new Map<string, Map<State, Set<string>>>();

  /** How often it has changed. */
  changes(document: string): number {
    return this.#changes.get(document) ?? 0;
  }

  /** Nobody but the writer who knew of so many changes has to do with it. */
  isUndisturbed(document: string, since: number): boolean {
    return since === this.changes(document) && this.#underWay(document).length === 0;
  }

  acknowledge([document, state]: Change, since: number): void {
    const others = this.isUndisturbed(document, since) ? [] : this.#statesOf(document);
    this.#set(document, [...others, state]);
  }

  /** It was not answered: it happened or it did not. */
  perhaps(changes: readonly Change[]): void {
    for (const [document, state] of changes) this.#set(document, [...this.#statesOf(document), state]);
  }

  begin(who: object, changes: readonly Change[]): void {
    this.perhaps(changes);
    this.#open.set(who, changes);
  }

  end(who: object): void {
    this.#open.delete(who);
  }

  /** Nobody who finishes the edition need write these again. */
  keep(document: string, edition: State, chunks: readonly string[]): void {
    const editions = this.#pending.get(document) ?? new Map<State, Set<string>>();
    const kept = editions.get(edition) ?? new Set();
    this.#pending.set(document, editions.set(edition, new Set([...kept, ...chunks])));
  }

  pending(document: string): ReadonlyMap<State, ReadonlySet<string>> {
    return this.#underWay(document).length > 0 ? new Map() : (this.#pending.get(document) ?? new Map());
  }

  /** What was seen once stays, but for what is under way. */
  saw(document: string, state: State): void {
    const possible = this.#statesOf(document);
    const wanted = possible.map(named).join(' or ');
    assert.ok(possible.includes(state), `${document} is ${named(state)}, it should be ${wanted}`);
    this.#possible.set(document, new Set([state, ...this.#underWay(document)]));
  }

  #underWay(document: string): State[] {
    const changes = [...this.#open.values()].flat();
    return changes.filter(([about]) => about === document).map(([, state]) => state);
  }

  #statesOf = (document: string): State[] => [...(this.#possible.get(document) ?? [''])];

  #set(document: string, states: readonly State[]): void {
    this.#possible.set(document, new Set(states));
    this.#changes.set(document, this.changes(document) + 1);
    this.#pending.delete(document);
  }
}
