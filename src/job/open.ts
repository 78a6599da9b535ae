/**
 * Everything that a run holds, opened in the order of the lines and closed in the reverse order: folders, log,
 * connections, services, threads, the index, and the `Work` on top.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import type { Environment } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { openParserPool } from '../documents/pool.ts';
import { makeEmbed } from '../models/embed.ts';
import { makeGenerate } from '../models/generate.ts';
import { openOllamaHttp } from '../models/ollama-http.ts';
import { prefixesFor } from '../models/prefixes.ts';
import { makeRerank } from '../models/rerank.ts';
import { makeRoster } from '../models/roster.ts';
import { openLog, type Log } from '../observe/log.ts';
import type { Instance, Plan } from '../plan/types.ts';
import type { ServedModel } from '../services/ollama-ready.ts';
import { jobKey, type Job } from '../slurm/job.ts';
import { openStore } from '../store/client.ts';
import type { Channel, Tree } from '../supervise/spec.ts';
import { startTree } from '../supervise/tree.ts';
import type { Roster } from '../models/types.ts';
import type { Work } from '../work.ts';
import { openFolders, type Folders } from './folders.ts';
import { embedDimensions, embedOptions, generateOptions } from './models-in-force.ts';
import { makeSpecs } from './services.ts';
import { makeWork } from './work.ts';

export interface OpenInput {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly job: Job;
  readonly environment: Environment;
  readonly tell: (line: string) => void;
}

export interface OpenJob extends AsyncDisposable {
  readonly folders: Folders;
  readonly log: Log;
  readonly tree: Tree;
  readonly roster: Roster;
  readonly work: Work;
}
