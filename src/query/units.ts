/** Units of measurement as texts write them, each with the unit that it is compared in and its factor. */

interface Measure {
  /** `mg` and `g` are both compared in µg. */
  readonly base: string;
  readonly factor: number;
}

/** Base unit: other units of its kind with their factor and all their spellings, in small letters. */
const kinds: Readonly<Record<string, readonly (readonly [factor: number, spellings: string])[]>> = {
  // NFKC turns the micro sign into a Greek letter.
  μg: [
    [1e9, 'kg kilogram kilograms kilo kilos kilogramm kilogrammes kilogramos'],
    [1e6, 'g gram grams gramm grammes gramos'],
    [1e3, 'mg milligram milligrams milligramm milligrammes miligramos'],
    [1, 'μg ug mcg microgram micrograms mikrogramm microgrammes microgramos'],
    [1e-3, 'ng nanogram nanograms'],
    [1e-6, 'pg picogram picograms'],
  ],
  ml: [
    [1e3, 'l litre litres liter liters litro litros'],
    [1e2, 'dl decilitre decilitres deciliter deciliters'],
    [1, 'ml millilitre millilitres milliliter milliliters mililitros cc'],
    [1e-3, 'μl ul microlitre microlitres microliter microliters mikroliter'],
  ],
  mm: [
    [1e6, 'km kilometre kilometres kilometer kilometers kilómetros'],
    [1e3, 'm metre metres meter meters mètre mètres metros'],
    [10, 'cm centimetre centimetres centimeter centimeters zentimeter centímetros'],
    [1, 'mm millimetre millimetres millimeter millimeters milímetros'],
    [1e-3, 'μm um micrometre micrometres micrometer micrometers mikrometer'],
    [1e-6, 'nm nanometre nanometres nanometer nanometers'],
  ],
  s: [
    [604_800, 'week weeks wk wks woche wochen semaine semaines semana semanas'],
    [86_400, 'd day days tag tage tagen jour jours día días dia dias'],
    [3600, 'h hr hrs hour hours stunde stunden heure heures hora horas'],
    [60, 'min mins minute minutes minuten minuto minutos'],
    [1, 's sec secs second seconds sekunde sekunden seconde secondes segundo segundos'],
    [1e-3, 'ms millisecond milliseconds millisekunden'],
  ],
  month: [
    [12, 'y yr yrs year years jahr jahre jahren an ans année années año años'],
    [1, 'mo month months monat monate monaten mois mes meses'],
  ],
  mmol: [
    [1e3, 'mol moles'],
    [1, 'mmol millimol millimoles'],
    [1e-3, 'μmol umol micromol micromoles'],
    [1e-6, 'nmol nanomol nanomoles'],
  ],
  hz: [
    [1, 'hz hertz'],
    [1e3, 'khz kilohertz'],
    [1e6, 'mhz megahertz'],
    [1e9, 'ghz gigahertz'],
  ],
  // No conversion among these: a thousand or 1,024, milli or mega cannot be told in small letters.
  '%': [[1, '% percent prozent pourcent porcento']],
  '°c': [[1, '°c celsius']],
  '°f': [[1, '°f fahrenheit']],
  k: [[1, 'k kelvin']],
  kb: [[1, 'kb kib kilobyte kilobytes']],
  mb: [[1, 'mb mib megabyte megabytes']],
  gb: [[1, 'gb gib gigabyte gigabytes']],
  tb: [[1, 'tb tib terabyte terabytes']],
  w: [[1, 'w watt watts']],
  kw: [[1, 'kw kilowatt kilowatts']],
  mw: [[1, 'mw megawatt megawatts milliwatt milliwatts']],
  v: [[1, 'v volt volts']],
  mmhg: [[1, 'mmhg']],
  kcal: [[1, 'kcal kilocalorie kilocalories']],
  kj: [[1, 'kj kilojoule kilojoules']],
  iu: [[1, 'iu ui ie']],
  $: [[1, '$ dollar dollars usd']],
  '€': [[1, '€ euro euros eur']],
  '£': [[1, '£ gbp']],
};

const measures = new Map<string, Measure>(
  Object.entries(kinds).flatMap(([base, members]) =>
    members.flatMap(([factor, spellings]) =>
      spellings.split(' ').map((spelling): [string, Measure] => [spelling, { base, factor }]),
    ),
  ),
);

/** What stands between the two units of a quotient. */
export const perMark = /\s*\/\s*|\s+per\s+/u;

/**
 * @param text a unit, or a quotient of two (`mg/kg`, `mg per kg`), in small letters and NFKC. A time below the line is
 * left out: `20 mg/day`, `20 mg daily` and `20 mg a day` are said of one dose.
 * @returns undefined for a word that is no unit
 */
export function measureOf(text: string): Measure | undefined {
  const [above = '', below] = text.split(perMark);
  const [unit, per] = [measures.get(above), measures.get(below ?? '')];
  if (unit === undefined || per === undefined || per.base === 's' || per.base === 'month') return unit;
  return { base: `${unit.base}/${per.base}`, factor: unit.factor / per.factor };
}
