#!/usr/bin/env python3
"""Reranks and encodes texts with a model on one GPU, for the supervisor that holds this process' stdin and stdout.

    python3 scripts/sidecar.py --rerank /models/bge-reranker-v2-gemma
    python3 scripts/sidecar.py --encode medcpt=/models,/models/my-encoder --device cuda:0
    python3 scripts/sidecar.py --check --rerank /models/bge-reranker-v2-gemma      what is missing? exit 0 or 78

Needs torch and transformers (4.50 or newer, 5 too). Nothing is downloaded, no code of a model folder is run, and
weights are safetensors or read with `weights_only`.

FRAMES: one JSON object a line, UTF-8, at most 64 MiB, answers in any order. What libraries print goes to stderr.

first   {"ready":true,"pid","device","device_name","dtype","load_ms","torch","transformers","memory_bytes",
         "rerank":{"kind":"llm|encoder|qwen3","model","digest","max_length"}|null,
         "encode":[{"name","model","digest","dimensions","metric":"cosine|dot|l2","max_length","prefixes"}]}
    or  {"fatal":{"code","message","hint"}} and exit 78: the settings are wrong. Other ends are crashes.
ping    {"id","op":"ping"} -> {"id","ok":true}, at once, whatever is being worked on
stats   {"id","op":"stats"} -> {"id","memory_bytes","memory_peak_bytes","memory_total_bytes","pairs","pairs_per_s",
         "texts","texts_per_s","batch_size"}, at once; pairs_per_s over the time spent scoring
rerank  {"id","op":"rerank","query","passages":[text],"max_length"?} -> {"id","scores":[0 to 1],"ms","batch_size"}
encode  {"id","op":"encode","encoder":name,"texts":[text|{"title","text"}],"kind":"query|passage"}
         -> {"id","dimensions","vectors":base64 of little-endian f32 rows,"ms","batch_size"}
load    {"id","op":"load","block":name,"file":path of a .npy of f16 or f32,"metric":"dot|cosine|l2"}; a file without
         a header needs "dimensions", and "dtype":"f16|f32" (f16), "offset" in bytes (0), "rows" (all) where they differ
         -> {"id","rows","dimensions","memory_bytes","ms"}. The same name again replaces the block.
search  {"id","op":"search","block":name,"vectors":base64 of f32 rows,"k"}, exact
         -> {"id","k","rows":base64 of i32, k for each vector,"scores":base64 of f32 (higher is nearer; l2: minus the
         squared distance),"ms"}; equal scores by row, lowest first
unload  {"id","op":"unload","block":name} -> {"id","ok":true}

A request that fails is answered {"id","error":{"code":"out-of-memory|bad-request|failed","message"}} (id null where
the line was no request) and the process lives on; after an error that leaves the GPU unusable it ends with 70.
The end of stdin, or of the parent, ends the process at once, whatever it is doing.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# Before anything imports them: a model is a folder, and a node of a cluster has no network to wait for.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

from sidecar import arguments, check, frames  # noqa: E402 (only the standard library: an old Python gets this far)


def main():
    output = frames.Output(frames.take_stdout())
    try:
        options = arguments.parse(sys.argv[1:])
        if options.check:
            report = check.report(options)
            output.send(report)
            sys.exit(0 if report["ok"] else 78)
        arguments.leave_with_parent(options.parent)
        check.refuse(check.folder_problems(options) + check.python_problems())
        frames.serve(output, lambda: start(options))
    except frames.Fatal as fatal:
        output.send({"fatal": fatal.frame()})
        output.leave(78)


def start(options):
    """Loads what was asked for; the first frame and the operations."""
    check.refuse(check.package_problems())
    from sidecar import service  # imports torch: seconds

    return service.start(options)


if __name__ == "__main__":
    main()
