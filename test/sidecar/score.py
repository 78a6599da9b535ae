"""
Prints what the sidecar's own code makes of the cases, for several models in one process, since a start costs five
seconds: `score.py SCRIPTS CASES.json WORD...`, a word being `rerank=DIR`, `parity=DIR`, `encode=WORD`, or `half=DIR`
and `half-parity=DIR`, which are in fp16 as on a GPU.
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, sys.argv[1])
import torch  # noqa: E402
import transformers  # noqa: E402
from sidecar import arguments, device, encode, encoders, rerank  # noqa: E402


def scores(folder, cases, how):
    parity = "parity" in how
    options = arguments.parse(["--allow-cpu"] + (["--parity", "flagembedding"] if parity else []))
    chosen = device.choose(options)
    reranker = rerank.load(folder, chosen._replace(dtype=torch.float16) if "half" in how else chosen, 3)
    if parity:
        reranker.side = "right"  # a tokenizer may say so, and FlagEmbedding then pads there
    found = [reranker.scores(case["query"], case["passages"], case.get("max_length"))[0] for case in cases["rerank"]]
    return {"kind": reranker.kind, "digest": reranker.digest, "scores": found}


def vectors(word, cases):
    encoder = encode.Encoder(encoders.resolve(word), device.choose(arguments.parse(["--allow-cpu"])), 3)
    texts = [(passage["title"], passage["text"]) for passage in cases["passages"]]
    rows = encode.from_base64(encode.base64.b64encode(encoder.encode(texts, "passage")[0]).decode())
    return {"vectors": rows.view(len(texts), -1).tolist(), "digest": encoder.digest}


with open(sys.argv[2]) as file:
    cases = json.load(file)
found = {"transformers": transformers.__version__}
for word in sys.argv[3:]:
    what, _, name = word.partition("=")
    found[word] = vectors(name, cases) if what == "encode" else scores(name, cases, what)
print(json.dumps(found))
