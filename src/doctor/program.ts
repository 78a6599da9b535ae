/** The program itself: its Node, the machine's libraries, the native code that it loads. */
import { fileURLToPath } from 'node:url';
import { isRelease, version } from '../version.ts';
import { askProgram } from '../machine/question.ts';
import { failure, type Finding, type Look, ok } from './types.ts';

const about = 'program';

/** RHEL 8 has 2.28, and the native parts are built for it. */
const oldestGlibc = 2.28;

const home = fileURLToPath(new URL('../..', import.meta.url));

export const lookAtProgram: Look = async ({ signal }) => [
  ok(
    about,
    `${version()}, ${isRelease() ? 'a release' : 'a checkout'} in ${home}, Node ${process.versions.node}`,
  ),
  judgeGlibc(readGlibc()),
  await lookAtNativeCode(signal),
];

const readGlibc = (): string | undefined => {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
};

export function judgeGlibc(version: string | undefined): Finding {
  if (version === undefined) return failure(about, 'no glibc here (musl?), 2.28 or newer is wanted');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > 2 || (major === 2 && minor >= Math.round((oldestGlibc - 2) * 100));
  return isNew
    ? ok(about, `glibc ${version}`)
    : failure(
        about,
        `glibc ${version}, 2.28 or newer is wanted`,
        'run on a node with RHEL 8, Debian 10 or newer',
      );
}

/** In a process of its own, as in a run: where the processor or a library is too old, loading it ends the process. */
async function lookAtNativeCode(signal: AbortSignal): Promise<Finding> {
  const started = performance.now();
  const load = [
    '--input-type=module',
    '-e',
    `await import(${JSON.stringify(import.meta.resolve('@lancedb/lancedb'))})`,
  ];
  const answer = await askProgram([process.execPath, ...load], { timeoutMs: 30_000, signal });
  if (answer.outcome === 'failed')
    return failure(
      about,
      `LanceDB cannot be loaded: ${answer.why}`,
      isRelease()
        ? 'sha256sum -c SHA256SUMS && tar -xzf rag-allinone-*.tar.gz   # where the tarball lies: unpack it again'
        : 'npm install   # in the checkout, on a machine of this kind',
    );
  return ok(about, `LanceDB loads in ${Math.round(performance.now() - started)} ms`);
}
