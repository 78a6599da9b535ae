"""What the process was told, and whose child it is."""
import argparse
import ctypes
import os
import signal

from .frames import Fatal

PR_SET_PDEATHSIG = 1


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Fatal("bad-arguments", "Cannot start the sidecar: " + message, "python3 scripts/sidecar.py --help")


def parse(words):
    parser = Parser(prog="sidecar.py", allow_abbrev=False)
    parser.add_argument("--rerank", metavar="DIR", help="folder of a reranker")
    parser.add_argument(
        "--encode",
        metavar="NAME[=DIR]|DIR[,...]",
        default="",
        help="medcpt, e5, contriever, specter (DIR: where their folders are), or the folder of an encoder",
    )
    parser.add_argument("--fp16", type=int, choices=(0, 1), default=1, help="16-bit weights on a GPU (default 1)")
    parser.add_argument("--batch-size", type=positive, metavar="N", help="default: 64 on a GPU, 8 on a CPU")
    parser.add_argument("--device", default="auto", help="auto, cuda:0 or cpu")
    parser.add_argument("--allow-cpu", action="store_true", help="run on the CPU where there is no GPU")
    parser.add_argument("--parity", choices=("flagembedding",), help="as FlagEmbedding does it, where that is slower")
    parser.add_argument("--parent", type=int, metavar="PID", help="end at once unless this is the parent")
    parser.add_argument("--check", action="store_true", help="say as JSON what is missing, load nothing")
    options = parser.parse_args(words)
    options.encode = [word for word in options.encode.split(",") if word]
    return options


def positive(word):
    number = int(word)
    if number < 1:
        raise ValueError(word)
    return number


def leave_with_parent(parent):
    """The kernel kills this process with its parent, however that ends. `parent` closes the gap before this call."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Slurm sends the wall-time warning to everything below a task of a step.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        pass  # not Linux: the end of stdin must do
    if parent is not None and os.getppid() != parent:
        raise Fatal("no-parent", "Cannot start the sidecar: its parent is not process {}".format(parent), "")
