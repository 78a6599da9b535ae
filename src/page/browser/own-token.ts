/** The token that the reader gave, for as long as this tab lives and for no other. */

const name = 'rag-token';

/** Null where there is none; a browser may forbid the store. */
export function readToken(): string | null {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return kept;
  }
}

export function keepToken(token: string | null): void {
  kept = token;
  try {
    if (token === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, token);
  } catch {
    // Kept until the page is loaded again.
  }
}

let kept: string | null = null;
