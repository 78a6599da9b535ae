import { endsUnder } from './slurm-ends.ts';

endsUnder('pgid');
