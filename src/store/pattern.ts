const wildcards = /[*?[{]/;

/** A name with wildcards in it. It may still be meant as it stands. */
export const isPattern = (name: string): boolean => wildcards.test(name);
