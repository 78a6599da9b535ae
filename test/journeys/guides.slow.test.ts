/** The three guides as their readers follow them: every block marked `bash`, in its order, on a real Slurm. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pdfOf } from '../fixtures/documents/pdf.ts';
import { runPage } from '../pages/run.ts';
import { type Cluster, noCluster, startCluster } from './cluster.ts';
import { checkout, untilGone } from './program.ts';

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster({ nodes: 2 });
});
after(() => cluster?.[Symbol.asyncDispose]());

const models = ['qwen3:8b', 'qwen3-embedding:0.6b'];

/** A reader: a home with the tarball, papers, an Ollama that pulls (into a store as the real one makes it) and serves. */
function makeReader(name: string): { readonly home: string; readonly env: Record<string, string> } {
  const home = join(cluster.folder, name);
  const bin = join(home, 'bin');
  for (const folder of [bin, join(home, 'papers'), join(home, 'venv/bin')])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(home, 'papers/trial.pdf'), pdfOf(['The trial began in May. The dose was 20 mg daily.']));
  writeFileSync(join(home, 'papers/notes.txt'), 'Metformin lowers glucose in diabetes.');
  const pull = join(checkout, 'test/fixtures/fake-ollama/pull.ts');
  const serve = join(checkout, 'test/fixtures/fake-ollama/ollama');
  writeFileSync(
    join(bin, 'ollama'),
    `#!/bin/sh\nif [ "$1" = pull ]; then exec ${process.execPath} ${pull} "$2"; fi\nexec ${serve} "$@"\n`,
    { mode: 0o755 },
  );
  return {
    home,
    env: {
      HOME: home,
      PATH: `${bin}:${process.env['PATH']}:/usr/sbin`,
      SLURM_CONF: join(cluster.folder, 'slurm.conf'),
      LOG_ROOT: join(home, 'logs'),
      FAKE_NODE: process.execPath,
      FAKE_MODELS: models.join(),
      USER: 'reader',
      TMPDIR: '/tmp',
      READER: `${process.pid}-${name}`,
    },
  };
}

/** What a release unpacks to: here all of it leads to the checkout. */
function makeTarball(home: string): void {
  const name = 'rag-allinone-0.0.0-linux-x64';
  mkdirSync(join(home, 'make', name), { recursive: true });
  for (const path of ['bin', 'dist', 'docs', 'examples', 'node_modules', 'package.json', 'sbatch', 'scripts'])
    symlinkSync(join(checkout, path), join(home, 'make', name, path));
  execFileSync('tar', ['-czf', join(home, `${name}.tar.gz`), '-C', join(home, 'make'), name]);
}

const install = (folder: string): void => {
  mkdirSync(folder, { recursive: true });
  for (const path of ['bin', 'dist', 'examples', 'node_modules', 'package.json', 'sbatch', 'scripts'])
    symlinkSync(join(checkout, path), join(folder, path));
};

/** Until a command of the shell says yes: a minute at most. */
const until = (command: string): string =>
  `for _ in $(seq 300); do if ${command}; then break; fi; sleep 0.2; done; ${command}`;
const ended = (job: string): string => until(`[ -z "$(squeue -h -j $${job} -t PD,R,CG 2>/dev/null)" ]`);
const exitOf = (job: string): string => `scontrol show job $${job} | grep -o ' ExitCode=[0-9:]*'`;

test(
  'documents.md: from a tarball to answers with file and page, and an index that stays',
  { skip: noCluster, timeout: 300_000 },
  async () => {
    const { home, env } = makeReader('documents');
    makeTarball(home);
    const published = until('[ -f $RAG_SHARED_ROOT/runtime/ollama_service.json ]');
    const said = await runPage('docs/guides/documents.md', {
      cwd: home,
      env,
      waits: { 3: `${published}; ${until('rag-allinone status $job | grep -Eq "documents +2"')}` },
    });
    const [dryRun = '', , checked = '', , seen = '', answers = '', batch = '', kept = ''] = said;
    assert.match(dryRun, /\[1\]/);
    assert.match(checked, /ok +batch script: Job \d+ to start/);
    assert.doesNotMatch(checked, /^failure/m);
    assert.match(seen, /ollama-generate +ready/);
    assert.match(answers, /20 mg[^]*trial\.pdf, page 1/);
    assert.match(batch, /2 answered, 0 answered before, 0 failed/);
    assert.match(kept, /2 processed|processed +2|2 documents/);
    await untilGone('READER', env['READER'] ?? '', 30_000);
  },
);

test(
  'training.md: a corpus is ingested by an array, and a training finds its retriever in its own job',
  { skip: noCluster, timeout: 300_000 },
  async () => {
    const { home, env } = makeReader('training');
    install(join(home, 'rag-allinone'));
    const corpus = join(home, 'MedRAG/corpus/textbooks/chunk');
    mkdirSync(corpus, { recursive: true });
    const row = { id: 'Book_0', title: 'Diabetes', content: 'Metformin lowers glucose in diabetes.' };
    writeFileSync(
      join(corpus, 'Book.jsonl'),
      JSON.stringify({ ...row, contents: `${row.title}. ${row.content}` }),
    );
    symlinkSync(join(checkout, 'test/fixtures/fake-sidecar/python3'), join(home, 'venv/bin/python3'));
    const body = `'{"queries":["diabetes"],"topk":1,"return_scores":true}'`;
    writeFileSync(
      join(home, 'train_ppo.sh'),
      `echo "trains on $CUDA_VISIBLE_DEVICES"\ncurl -s $RAG_RETRIEVER_URL -H 'content-type: application/json' -d ${body}\n`,
    );
    const said = await runPage('docs/guides/training.md', {
      cwd: home,
      env,
      last:
        ['train', 'try', 'nodes'].map((job) => `${ended(job)}; ${exitOf(job)}`).join('; ') +
        '; cat searchr1-*.out rag-multinode-*.out',
    });
    const end = said.at(-1) ?? '';
    assert.equal(end.match(/ExitCode=0:0/g)?.length, 3, said.join('\n'));
    assert.equal(end.match(/trains on 0,1,2/g)?.length, 3, end);
    assert.equal(end.match(/["']id["']: ?["']Book_0/g)?.length, 4, end);
    await untilGone('READER', env['READER'] ?? '', 30_000);
  },
);

test(
  'shared-service.md: one serves, shells and jobs of others find it and use it',
  { skip: noCluster, timeout: 300_000 },
  async () => {
    const { home, env } = makeReader('shared');
    const project = join(home, 'project');
    install(join(project, 'rag-allinone'));
    cpSync(join(checkout, 'examples/corpus/README.md'), join(home, 'papers/readme.md'));
    writeFileSync(
      join(home, 'my_pipeline.py'),
      'import os, urllib.request\nprint(urllib.request.urlopen(os.environ["OLLAMA_HOST"] + "/api/version").status)\n',
    );
    const said = await runPage('docs/guides/shared-service.md', {
      cwd: home,
      env: { ...env, PROJECT: project },
      waits: { 2: `${ended('ingest')}; ${exitOf('ingest')}; ${until('grep -q "^200" rag-worker-*.out')}` },
    });
    assert.match(said[1] ?? '', /qwen3:8b[^]*"embeddings":\[\[/);
    assert.match(said[2] ?? '', /ExitCode=0:0/);
    await untilGone('READER', env['READER'] ?? '', 30_000);
  },
);
