/** Everything that a run needs, looked at one after the other: what comes first explains what comes later. */
import { messageOf, toPlain } from '../errors.ts';
import { lookAtContainment } from './containment.ts';
import { lookAtEndpoint } from './endpoint.ts';
import { lookAtFolders } from './folders.ts';
import { lookAtGpus } from './gpus.ts';
import { lookAtLimits } from './limits.ts';
import { lookAtOllama } from './ollama.ts';
import { lookAtProgram } from './program.ts';
import { lookAtReranker } from './reranker.ts';
import { lookAtSlurm } from './slurm.ts';
import { failure, type Finding, type Look, type Patient } from './types.ts';

const looks: readonly (readonly [about: string, look: Look])[] = [
  ['program', lookAtProgram],
  ['Slurm', lookAtSlurm],
  ['limits', lookAtLimits],
  ['folders', lookAtFolders],
  ['GPUs', lookAtGpus],
  ['Ollama', lookAtOllama],
  ['reranker', lookAtReranker],
  ['containment', lookAtContainment],
  ['endpoint', lookAtEndpoint],
];

/** File servers hang. Whoever asks for a doctor wants an answer all the same. */
const timeoutMs = 60_000;

/** @param tell is called with each finding as it comes */
export async function examine(patient: Patient, tell: (finding: Finding) => void): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [about, look] of looks) {
    for (const finding of await lookOnce(about, look, patient)) {
      findings.push(finding);
      tell(finding);
    }
  }
  return findings;
}

async function lookOnce(about: string, look: Look, patient: Patient): Promise<readonly Finding[]> {
  const late = new AbortController();
  const signal = AbortSignal.any([patient.signal, late.signal]);
  const { promise, resolve } = Promise.withResolvers<readonly Finding[]>();
  const timer = setTimeout(() => {
    late.abort();
    resolve([failure(about, `no answer within ${timeoutMs / 1000} s: a file server or a program hangs`)]);
  }, timeoutMs);
  try {
    const found = await Promise.race([look({ ...patient, signal }), promise]);
    // What is cancelled is a finding of nobody's.
    patient.signal.throwIfAborted();
    return found;
  } catch (error) {
    patient.signal.throwIfAborted();
    return [failure(about, messageOf(error), toPlain(error).hint)];
  } finally {
    clearTimeout(timer);
  }
}
