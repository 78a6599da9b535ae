"""Serves operations of its own through the sidecar's frames, without torch: `frames_program.py SCRIPTS [slow-start]`"""
import sys
import time

sys.path.insert(0, sys.argv[1])
from sidecar import arguments, frames  # noqa: E402

output = frames.Output(frames.take_stdout())
arguments.leave_with_parent(None)


def fail(request):
    raise {
        "memory": frames.RequestError("out-of-memory", "no room"),
        "bug": KeyError("a bug"),
        "lost": frames.DeviceLost("CUDA error: an illegal memory access"),
    }[request["how"]]


def sleep(request):
    print("sleeping", file=sys.stderr, flush=True)
    time.sleep(60)


def start():
    print("a library says hello")
    if "slow-start" in sys.argv:
        sleep(None)
    operations = {
        "echo": lambda request: {"text": request["text"]},
        "large": lambda request: {"text": "x" * frames.MAX_FRAME_BYTES},
        "nan": lambda request: {"number": float("nan")},
        "fail": fail,
        "sleep": sleep,
    }
    return {"ready": True}, operations, {"ping": lambda request: {"ok": True}}


frames.serve(output, start)
