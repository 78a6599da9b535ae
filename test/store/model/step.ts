/** What a run of the model does next. One that cannot be done at the moment is left out. */
import type { Trouble } from './effects.ts';

export type Step = { readonly run: number } & (
  | { readonly does: 'asks'; readonly document: string; readonly edition: number }
  | { readonly does: 'commits'; readonly rows: readonly number[]; readonly trouble?: Trouble | undefined }
  | { readonly does: 'drops'; readonly document: string }
  | { readonly does: 'sets aside'; readonly document: string }
  | {
      readonly does: 'removes';
      readonly documents: readonly string[];
      readonly trouble?: Trouble | undefined;
    }
  | { readonly does: 'consolidates'; readonly trouble?: Trouble | undefined }
  | { readonly does: 'tags'; readonly trouble?: Trouble | undefined }
  | { readonly does: 'releases' | 'dies' | 'is believed dead' | 'wakes' }
);
