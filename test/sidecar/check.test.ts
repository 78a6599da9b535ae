/** What the sidecar says of folders and of itself before anything is loaded: nothing but Python is needed here. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { runPython, sidecarScript, startPython, withoutTorch, type Frame } from './sidecar.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-check-'));
after(() => rmSync(folder, { recursive: true }));

/** One tensor of two f32, as the safetensors format has it. */
const header = Buffer.from('{"weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}');
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(header.length));
const safetensors = Buffer.concat([length, header, Buffer.alloc(8)]);
const gemma = { architectures: ['GemmaForCausalLM'], model_type: 'gemma' };
const sound = { 'config.json': gemma, 'model.safetensors': safetensors, 'tokenizer.json': {} };

/** A folder of these files; what is an object is written as JSON. */
function model(name: string, files: Readonly<Record<string, object | string | Buffer>>): string {
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, name, file);
    mkdirSync(dirname(path), { recursive: true });
    const plain = typeof content === 'string' || Buffer.isBuffer(content);
    writeFileSync(path, plain ? content : JSON.stringify(content));
  }
  return join(folder, name);
}

async function check(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Frame> {
  const { status, stdout, stderr } = await runPython([sidecarScript, '--check', ...args], env);
  const report = JSON.parse(stdout) as Frame;
  assert.equal(status, report['ok'] === true ? 0 : 78, stderr);
  return report;
}

async function fatal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Frame> {
  const { status, stdout, stderr } = await runPython([sidecarScript, ...args], env);
  assert.equal(status, 78, `${stdout}\n${stderr}`);
  return (JSON.parse(stdout) as { fatal: Frame }).fatal;
}

const index = { weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } };
const layer = (kind: string): object => [{ type: `sentence_transformers.models.${kind}`, path: '1_Pooling' }];
const lfs = 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123456789\n';

test('a reranker that cannot be read is refused at once, with what is wrong', async () => {
  const { 'tokenizer.json': _, ...mute } = sound;
  const wrong: [string, Parameters<typeof model>[1], RegExp][] = [
    ['empty', { 'readme.md': '' }, /has no config\.json/],
    ['adapter', { 'adapter_config.json': {} }, /has no config\.json/],
    ['torn', { ...sound, 'config.json': '{"a":' }, /config\.json: /],
    ['weightless', { 'config.json': gemma, 'tokenizer.json': {} }, /neither model\.safetensors nor/],
    ['pointer', { ...sound, 'model.safetensors': lfs }, /Git LFS pointer/],
    ['cut', { ...sound, 'model.safetensors': safetensors.subarray(0, -3) }, /it has 72 bytes of 75/],
    ['beheaded', { ...sound, 'model.safetensors': safetensors.subarray(0, 20) }, /header is cut off/],
    ['noise', { ...sound, 'model.safetensors': Buffer.alloc(64, 7) }, /header is cut off or no/],
    ['nothing', { ...sound, 'model.safetensors': '' }, /it has 0 bytes/],
    ['mute', mute, /has no tokenizer/],
    [
      'bert',
      { ...sound, 'config.json': { architectures: ['BertModel'] } },
      /Cannot rerank with .* BertModel/,
    ],
    [
      'three',
      {
        ...sound,
        'config.json': {
          architectures: ['BertForSequenceClassification'],
          id2label: { 0: 'a', 1: 'b', 2: 'c' },
        },
      },
      /has 3 labels, not one score/,
    ],
  ];
  const { 'model.safetensors': __, ...shardless } = sound;
  const sharded = { ...shardless, 'model.safetensors.index.json': index, 'model-1.safetensors': safetensors };
  wrong.push(['shards', sharded, /model-2\.safetensors: No such file/]);
  await Promise.all(
    wrong.map(async ([name, files, what]) => {
      const { code, message } = await fatal(['--rerank', model(name, files), '--allow-cpu']);
      assert.match(String(message), what);
      assert.match(String(message), /^Cannot /);
      assert.match(String(code), /^(no-model|model-unreadable|model-unknown)$/);
    }),
  );
  assert.match(String((await fatal(['--rerank', join(folder, 'adapter')]))['hint']), /merge the adapter/);
  assert.match(
    String((await fatal(['--rerank', '/nowhere']))['message']),
    /Cannot find the model folder \/nowhere/,
  );
});

test('an encoder that cannot be used is refused, and one that was not found says where was looked', async () => {
  const encoder = { ...sound, 'config.json': { architectures: ['BertModel'], model_type: 'bert' } };
  const pooled = (said: object): object => ({
    ...encoder,
    'modules.json': layer('Pooling'),
    '1_Pooling/config.json': said,
  });
  const dense = model('dense', { ...encoder, 'modules.json': layer('Dense') });
  const last = model('last', pooled({ pooling_mode_lasttoken: true }) as typeof encoder);
  assert.match(String((await fatal(['--encode', dense]))['message']), /a layer Dense/);
  assert.match(String((await fatal(['--encode', last]))['message']), /it pools by lasttoken/);
  const cache = { HF_HUB_CACHE: join(folder, 'cache'), HF_HOME: join(folder, 'home') };
  const none = await fatal(['--encode', 'medcpt'], cache);
  assert.match(String(none['message']), new RegExp(`looked in ${folder}/cache, .*${folder}/home/hub`));
  assert.match(
    String(none['hint']),
    /hf download ncbi\/MedCPT-Query-Encoder --local-dir \/models\/ncbi.*, then medcpt=\/models$/,
  );
  const below = await fatal(['--encode', `medcpt=${folder}`], cache);
  assert.match(String(below['message']), new RegExp(`${folder}/ncbi/MedCPT-Query-Encoder, ${folder}/MedCPT`));
  assert.match(
    String((await fatal(['--encode', 'bogus']))['message']),
    /none of contriever, e5, medcpt, specter/,
  );
});

test('the Hugging Face cache is read as it is: the snapshot of main', async () => {
  const snapshots = 'hub/models--intfloat--e5-base-v2/snapshots';
  model(`${snapshots}/old`, { 'config.json': '{}' });
  const newest = model(`${snapshots}/new`, sound);
  model('hub/models--intfloat--e5-base-v2/refs', { main: 'new' });
  const report = await check(['--encode', 'e5', '--allow-cpu'], { HF_HOME: folder });
  const [found] = report['models'] as { query: Frame; metric: string; pooling: string }[];
  assert.deepEqual(
    [found?.query['folder'], found?.metric, found?.pooling, found?.query['bytes']],
    [newest, 'cosine', 'mean', safetensors.length],
  );
});

test('a known model is known by its folder, and the other of a pair lies beside it', async () => {
  for (const name of ['MedCPT-Query-Encoder', 'MedCPT-Article-Encoder']) model(`pair/${name}`, sound);
  const report = await check(['--encode', join(folder, 'pair/MedCPT-Article-Encoder'), '--allow-cpu']);
  const [found] = report['models'] as { query: Frame; passage: Frame; metric: string }[];
  assert.equal(found?.metric, 'dot');
  assert.match(String(found?.query['folder']), /MedCPT-Query-Encoder$/);
  assert.match(String(found?.passage['folder']), /MedCPT-Article-Encoder$/);
});

test('--check tells everything that is wrong in one object', async () => {
  const report = await check(['--rerank', model('sound', sound), '--encode', 'bogus,medcpt'], {
    HF_HOME: join(folder, 'home'),
    CUDA_VISIBLE_DEVICES: '',
  });
  assert.equal(report['ok'], false);
  const [reranker, bogus] = report['models'] as Frame[];
  assert.deepEqual([reranker?.['role'], reranker?.['kind'], reranker?.['bytes']], ['rerank', 'llm', 75]);
  assert.match(String(bogus?.['problem']), /Cannot find the encoder bogus/);
  const codes = (report['problems'] as Frame[]).map(({ code }) => code);
  assert.deepEqual(codes.slice(0, 2), ['no-model', 'no-model']);
  if (withoutTorch === false) assert.equal(codes.at(-1), 'no-gpu');
  else assert.ok(codes.includes('no-torch'), JSON.stringify(codes));
});

test('packages that are too old, or end in an error, are named', async () => {
  const packages = model('packages', {
    'transformers.py': '__version__ = "4.37.2"\n',
    'safetensors.py': 'raise OSError("libcudart.so.12: cannot open shared object file")\n',
  });
  const report = await check(['--allow-cpu'], { PYTHONPATH: packages });
  const messages = (report['problems'] as Frame[]).map(({ message }) => message).slice(-2);
  assert.deepEqual(messages, [
    'Cannot run a model: transformers 4.37.2 is older than 4.50',
    'Cannot import safetensors: libcudart.so.12: cannot open shared object file',
  ]);
});

test('weights that are no model are refused while they are loaded', { skip: withoutTorch }, async () => {
  const config = { ...gemma, hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, vocab_size: 10 };
  const words = { type: 'WordLevel', vocab: { Yes: 0, no: 1 }, unk_token: 'no' };
  const broken = model('broken', {
    ...sound,
    'config.json': config,
    'tokenizer.json': { version: '1.0', added_tokens: [], model: words },
    'tokenizer_config.json': { tokenizer_class: 'PreTrainedTokenizerFast' },
  });
  await using onCpu = startPython([sidecarScript, '--rerank', broken, '--allow-cpu']);
  await using onGpu = startPython([sidecarScript, '--rerank', broken], { CUDA_VISIBLE_DEVICES: '' });
  const { code, message } = (await onCpu.first)['fatal'] as Frame;
  assert.equal(code, 'model-unreadable');
  assert.match(String(message), /Cannot read .*broken: its weights lack .* of a GemmaForCausalLM/);
  assert.equal(((await onGpu.first)['fatal'] as Frame)['code'], 'no-gpu');
  assert.deepEqual([await onCpu.ended, await onGpu.ended], [78, 78]);
});

test('wrong arguments are refused in a frame', async () => {
  for (const words of [['--bogus'], ['--fp16', '2'], ['--batch-size', '0'], ['--parity', 'exact']]) {
    const { code, message } = await fatal(words);
    assert.equal(code, 'bad-arguments');
    assert.match(String(message), /^Cannot start the sidecar: /);
  }
  assert.equal((await fatal(['--parent', '1', '--rerank', '/nowhere']))['code'], 'no-parent');
});

/** RERANKER_PYTHON is often the one that came with the system. */
const oldest = ['3.6.15', '3.7.16'].map((version) =>
  join(process.env['HOME'] ?? '', `.pyenv/versions/${version}/bin/python`),
);
const old = ['/usr/bin/python3.6', '/usr/libexec/platform-python', ...oldest].find((path) =>
  existsSync(path),
);

test(
  'a Python that is too old says so',
  { skip: old === undefined ? 'no Python 3.6 or 3.7 here' : false },
  async () => {
    const { status, stdout } = await runPython([sidecarScript, '--check'], {}, old);
    const { problems } = JSON.parse(stdout) as { problems: Frame[] };
    assert.equal(status, 78);
    assert.match(String(problems[0]?.['message']), /Cannot run a model with Python 3\.[67]/);
  },
);
