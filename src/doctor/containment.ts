import { probeContainment } from '../supervise/containment.ts';
import { findProgram } from '../supervise/death-signal.ts';
import { failure, type Look, ok, warning } from './types.ts';

const about = 'containment';

/** How far the processes of a run can be kept from outliving it, here; a compute node may differ from a login node. */
export const lookAtContainment: Look = async ({ settings, environment, plan, signal }) => {
  const path = environment['PATH'] ?? '';
  const nvidiaSmi = plan === null || plan.gpus.length === 0 ? undefined : findProgram('nvidia-smi', path);
  const found = await probeContainment({
    wanted: settings.RAG_CONTAINMENT,
    path,
    signal,
    ...(nvidiaSmi === undefined ? {} : { trial: [nvidiaSmi, '-L'] }),
  });
  const said = `${found.mode}, network ${found.network}${found.reason === null ? '' : ` (${found.reason})`}`;
  if (found.mode === 'pidns') return [ok(about, said)];
  if (settings.RAG_CONTAINMENT === 'pidns') return [failure(about, said, 'export RAG_CONTAINMENT=auto')];
  if (!found.deathSignal)
    return [
      warning(
        about,
        `${said}: kill -9 of the supervisor leaves its services until the job ends`,
        'module load python   # setpriv, perl or python3 is wanted',
      ),
    ];
  return [ok(about, `${said}: kill -9 of guard and supervisor at once is the one gap`)];
};
