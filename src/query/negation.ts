/** Words that turn a statement round, in the languages whose words for it stand alone. */
const negators = new Set(
  `no not never none neither nor nobody nothing without cannot lack lacks lacked absence absent fail fails failed
  nicht kein keine keinen keiner keines nie niemals ohne weder
  ne pas aucun aucune jamais sans nul
  nunca sin ningún ninguna tampoco
  non senza nessun nessuna mai
  não nem sem nenhum nenhuma
  niet geen nooit zonder
  не нет без никогда ни`.split(/\s+/u),
);

/** "No more than", "no doubt": these negate nothing. */
const idioms = new Set('more less fewer later earlier doubt'.split(' '));

/** Whether a text holds one. `n't` is one too. */
export const isNegated = (words: readonly string[]): boolean =>
  words.some(
    (word, at) =>
      (negators.has(word) && !(word === 'no' && idioms.has(words[at + 1] ?? ''))) ||
      (word === 't' && words[at - 1]?.endsWith('n') === true),
  );
