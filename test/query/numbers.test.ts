import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { claimedIn, statedIn } from '../../src/query/numbers.ts';

const holds = (sentence: string, passage: string): boolean => {
  const stated = statedIn(passage);
  return claimedIn(sentence).every((readings) => readings.some((reading) => stated.has(reading)));
};

const same: [string, string][] = [
  ['1,000 people', '1000 people'],
  ['1000 people', '1 000 people'],
  ['1000 people', '1’000 people'],
  ['1,234.5 points', '1.234,5 points'],
  ['half, 0.5, of it', 'half, .5, of it'],
  ['0,5 Prozent', '0.5 %'],
  ['12 %', '12 per cent'],
  ['12％', '12 percent'],
  ['5 µg', '5 mcg'],
  ['5 μg', '5 micrograms'],
  ['1 g', '1,000 mg'],
  ['2000 ml', 'two litres'],
  ['two weeks', '14 days'],
  ['14 days', 'a fortnight of 2 weeks'],
  ['12 months', 'one year'],
  ['1 mm a year', 'a millimetre a year'],
  ['20 mg/day', '20 mg daily'],
  ['20 mg/kg', '20 mg kg⁻¹'],
  ['20 mg/kg', '20 mg per kg'],
  ['20 mg', '20 mg/kg'],
  ['21 to 29 years', '21–29 years'],
  ['21 years', 'aged 21 to 29 years'],
  ['5 mg', '5, 10 or 20 mg'],
  ['a 20-mg dose', 'a dose of 20mg'],
  ['9 mm Hg', '9 mmHg'],
  ['1234 people', '1.234 Menschen'],
  ['1.234 Menschen, 0,5 %', '1234 people, 0.5 %'],
  ['5 million', '5,000,000'],
  ['$5 million', '5 million dollars'],
  ['twenty-five days', '25 days'],
  ['vitamin B(12)', 'vitamin B12'],
  ['٣٠ people', '30 people'],
  ['१२ people', '12 people'],
  ['12 March 2020', '2020-03-12'],
  ['March 12th, 2020', 'am 12. März 2020'],
  ['12 de marzo de 2020', 'on 12 March 2020'],
  ['2020-03-12', 'le 12 mars 2020'],
  ['03/12/2020', 'on 12 March 2020'],
  ['03/12/2020', 'on 3 December 2020'],
  ['in March 2020', 'between March and June 2020'],
  ['It may be so', 'it is'],
  ['(1) this, (2) that', 'this and that'],
  ['one of two ways', 'a way'],
];
for (const [sentence, passage] of same)
  test(`"${sentence}" stands in "${passage}"`, () => {
    assert.ok(holds(sentence, passage), JSON.stringify([claimedIn(sentence), [...statedIn(passage)]]));
  });

const different: [string, string][] = [
  ['20 mg', '40 mg'],
  ['20 g', '20 mg'],
  ['20 mg', '20 patients'],
  ['20 mg', '20 mg'.replace('20', '120')],
  ['2.5 mg', '25 mg'],
  ['0.5 %', '5 %'],
  ['1,000 mg', '1 mg'],
  ['1 mg', '1,000 mg'],
  ['1.25 mg', '1,250 mg'],
  ['20 mg/kg', '20 mg'],
  ['20 mg/kg', '20 mg per day'],
  ['5 µg', '5 mg'],
  ['two weeks', 'two days'],
  ['12 March 2020', '12 May 2020'],
  ['12 March 2020', '2020-05-12'],
  ['12 March 2020', '12 March 2021'],
  ['15 people', '3.15 people'],
  ['$5', '€5'],
  ['38 %', '38.5 %'],
];
for (const [sentence, passage] of different)
  test(`"${sentence}" does not stand in "${passage}"`, () => {
    assert.ok(!holds(sentence, passage), JSON.stringify([claimedIn(sentence), [...statedIn(passage)]]));
  });

const units = fc.constantFrom('mg', 'ml', '%', 'weeks', 'mg/kg', 'people', '');
const written = fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), units, units);

test('a text bears out all numbers that it holds itself', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          written.map(([n, unit]) => `${n.toFixed(2)} ${unit}`),
        ),
      ),
      (pieces) => {
        const text = pieces.join('; ');
        assert.ok(holds(text, text), JSON.stringify([claimedIn(text), [...statedIn(text)]]));
      },
    ),
  );
});

test('a number is not borne out by another one of the same unit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 9999 }), fc.integer({ min: 1, max: 50 }), (number, more) => {
      assert.ok(!holds(`It was ${number} mg.`, `It was ${number + more} mg.`));
    }),
  );
});
