/** `report.html`: the picture of a job that has ended, in one file that needs nothing else. */
import { createHash } from 'node:crypto';
import type { Picture } from '../../page/picture.ts';
import { reportDocument } from '../../page/report.ts';
import { style } from '../../page/style/sheet.ts';

/** Nothing is loaded and nothing runs: the style stands in the file, and its digest in the policy. */
export function makeReportPage(picture: Picture): string {
  const digest = createHash('sha256').update(style).digest('base64');
  return reportDocument(
    picture,
    style,
    `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`,
  );
}
