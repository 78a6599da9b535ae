import { endsUnder } from './slurm-ends.ts';

endsUnder('cgroup');
