"""The models that were asked for, and what can be asked of them."""
import base64
import os
import time

import torch
import transformers

from . import device as devices, encode, encoders, rerank, search
from .frames import RequestError

BATCH_SIZE = {"cuda": 64, "cpu": 8}


def start(options):
    """Loads everything: the first frame, the operations, and those that are answered at once."""
    started = time.perf_counter()
    device = devices.choose(options)
    max_rows = options.batch_size or BATCH_SIZE[device.torch.type]
    reranker = rerank.load(options.rerank, device, max_rows) if options.rerank else None
    loaded = [encode.Encoder(encoders.resolve(word), device, max_rows) for word in options.encode]
    service = Service(device, reranker, {encoder.name: encoder for encoder in loaded})
    first = service.first_frame(round(1000 * (time.perf_counter() - started)))
    return first, service.operations(), {"ping": lambda request: {"ok": True}, "stats": service.stats}


class Service(object):
    def __init__(self, device, reranker, encoders_by_name):
        self.device, self.reranker, self.encoders, self.blocks = device, reranker, encoders_by_name, {}

    def operations(self):
        timed = {"encode": self.encode, "load": self.load, "rerank": self.rerank, "search": self.search}
        return dict({name: in_time(operation) for name, operation in timed.items()}, unload=self.unload)

    def first_frame(self, load_ms):
        reranker = self.reranker
        return {
            "ready": True,
            "pid": os.getpid(),
            "device": str(self.device.torch),
            "device_name": self.device.name,
            "dtype": str(self.device.dtype).replace("torch.", ""),
            "load_ms": load_ms,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "memory_bytes": devices.memory(self.device)[0],
            "rerank": reranker
            and {
                "kind": reranker.kind,
                "model": reranker.name,
                "digest": reranker.digest,
                "max_length": min(reranker.max_length, reranker.positions),
            },
            "encode": [encoder.frame() for encoder in self.encoders.values()],
        }

    def stats(self, _request):
        now, peak, total = devices.memory(self.device)
        reranker, encoders_ = self.reranker, list(self.encoders.values())
        seconds = sum(encoder.batches.seconds for encoder in encoders_)
        texts = sum(encoder.batches.done for encoder in encoders_)
        return {
            "memory_bytes": now,
            "memory_peak_bytes": peak,
            "memory_total_bytes": total,
            "pairs": reranker.batches.done if reranker else 0,
            "pairs_per_s": reranker.batches.rate() if reranker else None,
            "texts": texts,
            "texts_per_s": round(texts / seconds, 1) if seconds else None,
            "batch_size": reranker.batches.rows() if reranker else None,
        }

    def rerank(self, request):
        if self.reranker is None:
            raise RequestError("bad-request", "this sidecar was started without --rerank")
        query, passages = clean(request.get("query")), [clean(text) for text in listed(request, "passages")]
        max_length = request.get("max_length")
        if max_length is not None and (type(max_length) is not int or max_length < 16):
            raise RequestError("bad-request", "max_length is a number of tokens, 16 or more")
        scores, most = self.reranker.scores(query, passages, max_length)
        return {"scores": scores, "batch_size": most}

    def encode(self, request):
        encoder = self.encoders.get(request.get("encoder"))
        if encoder is None:
            raise RequestError("bad-request", "encoder is one of: " + ", ".join(self.encoders))
        kind = request.get("kind")
        if kind not in ("query", "passage"):
            raise RequestError("bad-request", "kind is query or passage")
        vectors, most = encoder.encode([titled(text) for text in listed(request, "texts")], kind)
        return {
            "dimensions": encoder.dimensions,
            "vectors": base64.b64encode(vectors).decode(),
            "batch_size": most,
        }

    def load(self, request):
        name, path, metric = (request.get(key) for key in ("block", "file", "metric"))
        if not isinstance(name, str) or not isinstance(path, str) or metric not in ("dot", "cosine", "l2"):
            raise RequestError("bad-request", "load takes block, file, and metric dot, cosine or l2")
        self.blocks.pop(name, None)  # first: two may not fit
        try:
            block = search.Block(path, metric, self.device, request)
        except RuntimeError as error:
            if devices.is_out_of_memory(error):
                raise RequestError("out-of-memory", "no room for the block " + name)
            devices.refuse_lost(error)
            raise
        self.blocks[name] = block
        return {"rows": len(block.matrix), "dimensions": block.dimensions, "memory_bytes": block.bytes()}

    def search(self, request):
        block = self.blocks.get(request.get("block"))
        if block is None:
            raise RequestError("bad-request", "no block of this name was loaded")
        return search.answer(block, request)

    def unload(self, request):
        self.blocks.pop(request.get("block"), None)
        return {"ok": True}


def in_time(operation):
    """The answer with the milliseconds that it took."""

    def timed(request):
        started = time.perf_counter()
        return dict(operation(request), ms=round(1000 * (time.perf_counter() - started), 3))

    return timed


def listed(request, key):
    found = request.get(key)
    if not isinstance(found, list):
        raise RequestError("bad-request", key + " is a list")
    return found


def clean(text):
    """Half a surrogate pair is legal in JSON and no text: the tokenizers refuse it."""
    if not isinstance(text, str):
        raise RequestError("bad-request", "a text is a string")
    return text.encode("utf-8", "replace").decode("utf-8")


def titled(text):
    """A string, or (title, text)."""
    if isinstance(text, dict):
        return clean(text.get("title", "")), clean(text.get("text"))
    return clean(text)
