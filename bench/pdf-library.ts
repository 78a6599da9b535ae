/** The PDF library alone: `node pdf-library.ts FOLDER` reads the text of every page and prints how many there were. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PDFiumLibrary } from '@hyzyla/pdfium';

const [folder = ''] = process.argv.slice(2);
const library = await PDFiumLibrary.init();
let pages = 0;
let characters = 0;
for (const name of readdirSync(folder)) {
  const document = await library.loadDocument(readFileSync(join(folder, name)));
  for (const page of document.pages()) {
    characters += page.getText().length;
    pages += 1;
  }
  document.destroy();
}
library.destroy();
process.stdout.write(JSON.stringify({ pages, characters }));
