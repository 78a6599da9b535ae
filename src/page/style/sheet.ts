import { base } from './base.ts';
import { parts } from './parts.ts';

/** One style for the dashboard and the report. */
export const style: string = `${base}${parts}`.replaceAll(/\n\s*/g, '\n').trim();
