/** What ends with a full stop and seldom ends a sentence. */
const abbreviation = new RegExp(
  String.raw`(?:^|[\s(["'])(?:\p{Lu}|e\.g|i\.e|cf|vs|etc|al|Dr|Drs|Mr|Mrs|Ms|Prof|St|Fig|Figs|Eq|Eqs|Ref|Refs|Tab|Sec|No|Nos|Vol|pp|p|ca|approx|resp|incl|max|min|Inc|Ltd|Jr|Sr|spp|sp|subsp|var|bzw|Abb|Nr|usw|vgl|evtl|ggf|Dipl|Ing|Sra|Dra|Ud|núm|art|Mme|Mlle|env|réf)\.$`,
  'u',
);

/** Whether a text ends with an initial or a known abbreviation, so that a sentence goes on behind it. */
export const endsInAbbreviation = (text: string): boolean => abbreviation.test(text);
