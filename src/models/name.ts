/** A model's name as its server lists it: without a tag it means `latest`; case does not count. */
const withTag = (model: string): string => (/:[^/]*$/u.test(model) ? model : `${model}:latest`).toLowerCase();

export const isSameModel = (one: string, other: string): boolean => withTag(one) === withTag(other);
