"""Serves the frames of scripts/sidecar.py without a model: every score is there at once."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts"))
from sidecar import arguments, frames  # noqa: E402


def start():
    ready = {"ready": True, "pid": os.getpid(), "device": "cpu", "dtype": "none", "load_ms": 0, "torch": "none",
             "transformers": "none", "rerank": {"kind": "none", "model": "none", "digest": "none"}}
    operations = {"rerank": lambda request: {"scores": [0.5] * len(request["passages"])}}
    at_once = {"ping": lambda request: {"ok": True}, "stats": lambda request: {"pairs": 0}}
    return ready, operations, at_once


output = frames.Output(frames.take_stdout())
arguments.leave_with_parent(None)
frames.serve(output, start)
