/** How the GPUs of a process are said in its environment. */

/** Masks of other vendors, left over from a shell or set by Slurm: an empty one too puts a process on the CPU silently. */
const otherMasks = /^(HIP_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK)$/;

export const withoutOtherMasks = (base: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(base).filter(([name]) => !otherMasks.test(name)));

/** @param gpus tokens as the allocation gave them. None: CPU. Null: left as the environment says. */
export const gpuMask = (gpus: readonly string[] | null): { CUDA_VISIBLE_DEVICES?: string } => {
  if (gpus === null) return {};
  return { CUDA_VISIBLE_DEVICES: gpus.length === 0 ? '-1' : gpus.join(',') };
};
