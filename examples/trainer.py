"""Stands in for a trainer: asks the retriever of its own job in every step, as Search-R1 does, saves, and goes on from there.

    node dist/supervisor.js run --input-file examples/corpus -- python3 examples/trainer.py --steps 3
"""
import argparse
import json
import os
import signal
import sys
import time
import urllib.request


def search(url, queries, topk):
    """The client of Search-R1: no timeout, no second try, and every answer has a result for every query."""
    body = json.dumps({"queries": queries, "topk": topk, "return_scores": True}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["result"]


def save(path, step):
    """Beside its place first: a trainer that is killed in the middle has its last checkpoint still."""
    with open(path + ".tmp", "w") as file:
        file.write("%d\n" % step)
    os.replace(path + ".tmp", path)


def load(path):
    if path is None or not os.path.exists(path):
        return 0
    with open(path) as file:
        return int(file.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3, help="0: until it is told to end")
    parser.add_argument("--topk", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0, help="seconds of a step, in which a real one computes")
    parser.add_argument("--checkpoint", help="where the last step is written, and read when it begins")
    args = parser.parse_args()

    stop = []
    for name in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(name, lambda number, frame: stop.append(number))

    # Without the path: a token may stand in it.
    place = os.environ["RAG_RETRIEVER_URL"].split("/")[2]
    print("trainer: GPUs %s, retriever at %s" % (os.environ.get("CUDA_VISIBLE_DEVICES"), place))
    step = load(args.checkpoint)
    if step:
        print("trainer: goes on after step %d" % step)
    while not stop and (args.steps == 0 or step < args.steps):
        step += 1
        queries = ["how is a document found", "step %d" % step, "how is a document found"]
        results = search(os.environ["RAG_RETRIEVER_URL"], queries, args.topk)
        assert len(results) == len(queries), results
        for hit in results[0]:
            title, _, text = hit["document"]["contents"].partition("\n")
            assert title and text, hit
        print("trainer: step %d, %d passages" % (step, len(results[0])), flush=True)
        if args.checkpoint:
            save(args.checkpoint, step)
        time.sleep(args.pause)
    if stop:
        print("trainer: told to end by signal %d, step %d is saved" % (stop[0], step), flush=True)
    return 128 + stop[0] if stop else 0


if __name__ == "__main__":
    sys.exit(main())
