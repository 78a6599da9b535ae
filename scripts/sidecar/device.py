"""Where the models run, in which precision, and how they are read from their folders."""
import collections
import os

import torch
import transformers

from . import check, folders
from .frames import DeviceLost, Fatal

transformers.utils.logging.disable_progress_bar()  # of each weight, in a log file

Device = collections.namedtuple("Device", "torch name dtype parity")

# From 4.56 on it is called dtype; torch_dtype has a warning since, and older versions take dtype for the model's own.
DTYPE_KEYWORD = "dtype" if check.numbers(transformers.__version__) >= (4, 56) else "torch_dtype"


def choose(options):
    """
    The device, tried out. 16 bits on a GPU are fp16 for every model: bf16 keeps 8 bits of a score, which makes ties.
    Never on a CPU, where they are slow and coarse. Raises Fatal.
    """
    name = options.device
    if name == "auto":
        name = "cuda:0" if torch.cuda.is_available() else "cpu"
        if name == "cpu" and not options.allow_cpu:
            raise check.no_gpu(torch.version.cuda)
    if name == "cpu":
        limit_threads()
        return Device(torch.device("cpu"), "CPU", torch.float32, options.parity is not None)
    try:
        torch.ones(8, device=name).sum().item()
        device = torch.device(name)
        label = torch.cuda.get_device_name(device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).split("\n")[0][:300]
        hint = "nvidia-smi; this torch is built for CUDA {} and {}".format(
            torch.version.cuda, " ".join(torch.cuda.get_arch_list()) or "no GPU"
        )
        raise Fatal("no-gpu", "Cannot use {}: {}".format(name, first), hint)
    return Device(device, label, torch.float16 if options.fp16 else torch.float32, options.parity is not None)


def limit_threads():
    """torch counts the cores of the machine; a job has fewer."""
    if "OMP_NUM_THREADS" in os.environ:
        return
    allowed = len(os.sched_getaffinity(0))
    torch.set_num_threads(max(1, min(allowed, int(os.environ.get("SLURM_CPUS_PER_TASK") or allowed))))


def load(auto_class, folder, device):
    """A model of a folder on its device, ready to infer. Raises Fatal where its files do not make one."""
    # FlagEmbedding reads 32 bits and halves them, which halves the buffers of the rotary embedding too: an error of
    # 0.046 of the logit beside 0.008 (tiny Gemma, 512 tokens). Only parity wants that.
    halves = device.parity and device.dtype == torch.float16
    try:
        model, told = getattr(transformers, auto_class).from_pretrained(
            folder,
            output_loading_info=True,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=folders.weights(folder)[0].endswith(".safetensors"),
            weights_only=True,
            **{DTYPE_KEYWORD: torch.float32 if halves else device.dtype}
        )
    except torch.cuda.OutOfMemoryError:
        raise
    except Exception as error:
        raise folders.unreadable(folder, "{}: {}".format(type(error).__name__, str(error)[:300]))
    # transformers makes up what it does not find. An encoder's pooler is none of its vectors and often left away.
    missing = sorted(name for name in told["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise folders.unreadable(folder, "its weights lack {} of a {}".format(missing[0], type(model).__name__))
    return (model.half() if halves else model).to(device.torch).eval()


def is_out_of_memory(error):
    """torch says it in several ways: its own class, and the words of cuBLAS and of the CPU's allocator."""
    words = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory", "not enough memory")
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(word in str(error) for word in words)


def refuse_lost(error):
    """After an assertion or an illegal access nothing runs on the GPU in this process any more."""
    if "CUDA error" in str(error):
        raise DeviceLost(str(error).split("\n")[0][:300])


def memory(device):
    """Bytes: now, at the peak, of the device. On the CPU of the process and of the machine."""
    if device.torch.type == "cuda":
        total = torch.cuda.get_device_properties(device.torch).total_memory
        return torch.cuda.memory_reserved(device.torch), torch.cuda.max_memory_reserved(device.torch), total
    return in_bytes("/proc/self/status", "VmRSS"), in_bytes("/proc/self/status", "VmHWM"), in_bytes(
        "/proc/meminfo", "MemTotal"
    )


def in_bytes(path, key):
    try:
        with open(path) as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(key + ":")), None)
    except OSError:
        return None
