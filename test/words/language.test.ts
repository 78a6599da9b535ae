/** In which language a text is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languageOf } from '../../src/words/language.ts';

const sentences: Readonly<Record<string, readonly string[]>> = {
  en: [
    'How do I reset my password?',
    'The cat sat on the mat.',
    'Does aspirin reduce the risk of colorectal cancer in adults over fifty?',
  ],
  de: ['Die Katze sitzt auf der Matte.', 'Behandlung des Herzinfarkts bei älteren Patienten'],
  fr: ['Le chat est assis sur le tapis.', 'Je ne sais pas où sont les clefs de la maison.'],
  es: ['El gato está sentado en la alfombra.'],
  it: ['Il gatto è seduto sul tappeto della cucina.'],
  pt: ['O gato está sentado no tapete da cozinha, mas não quer comer.'],
  nl: ['De kat zit op de mat en wil niet eten.'],
  sv: ['Katten sitter på mattan och vill inte äta.'],
  fi: ['Kissa istuu matolla eikä se halua syödä, koska se on kylläinen.'],
  hu: ['A macska a szőnyegen ül, és nem akar enni, mert az jóllakott.'],
  tr: ['Kedi halının üzerinde oturuyor ve yemek istemiyor çünkü o çok tok.'],
  ro: ['Pisica stă pe covor și nu vrea să mănânce pentru că este sătulă.'],
  ru: ['Кошка сидит на коврике и не хочет есть, потому что она сыта.'],
  uk: ['Кішка сидить на килимку і не хоче їсти, тому що вона сита.'],
  el: ['Η γάτα κάθεται στο χαλάκι και δεν θέλει να φάει.'],
  ar: ['القطة تجلس على السجادة في المطبخ ولا تريد أن تأكل'],
  zh: ['信息检索系统使用倒排索引'],
  ja: ['猫がマットの上に座っています。', '図書館の利用案内'],
  // Nothing tells it, or it is one of which no stems are known.
  '': [
    'Myocardial infarction 2020',
    '12 34 56',
    '',
    '고양이가 매트 위에 앉아 있습니다.',
    'แมวนั่งบนเสื่อ',
    'Kočka sedí na rohožce a nechce jíst, protože je sytá.',
    'Kot siedzi na macie i nie chce jeść, ponieważ jest najedzony.',
  ],
};
for (const [language, texts] of Object.entries(sentences)) {
  for (const text of texts)
    test(`${JSON.stringify(text)} is ${language === '' ? 'of no known language' : language}`, () =>
      assert.equal(languageOf(text), language));
}

test('what a document says of itself is taken where its words do not tell', () => {
  assert.equal(languageOf('Myocardial infarction', 'en-GB'), 'en');
  assert.equal(languageOf('Myocardial infarction', 'cs'), '');
  assert.equal(languageOf('Die Katze sitzt auf der Matte und sie will nicht essen.', 'en'), 'de');
});

test('a long Danish text is told from Norwegian', () => {
  const danish =
    'Jeg ved ikke, hvor nøglerne er, og hun har også ledt efter dem. Hvad skal vi gøre nu, når de er væk? ';
  const norwegian =
    'Jeg vet ikke hvor nøklene er, og hun har også lett etter dem. Hva skal vi gjøre nå, når de er borte? ';
  assert.equal(languageOf(danish.repeat(20)), 'da');
  assert.equal(languageOf(norwegian.repeat(20)), 'no');
});
