"""Exact search of a matrix of vectors that lies on the device."""
import ast
import base64
import mmap
import os
import struct

import torch

from . import batches, device as devices
from .encode import as_bytes, from_base64
from .frames import RequestError

TYPES = {"f16": torch.float16, "f32": torch.float32}
NPY_TYPES = {"<f2": "f16", "<f4": "f32"}
CHUNK_BYTES = 256 << 20  # of rows as f32: copied or multiplied at once
CHUNK_SCORES = 32 << 20  # of 512 vectors and 64k rows


class Block(object):
    """rows x dimensions in the type of its file; what the metric needs of each row is computed once."""

    def __init__(self, path, metric, device, shape):
        self.metric, self.device = metric, device
        dtype, offset, rows, self.dimensions = layout(path, shape)
        self.matrix = torch.empty((rows, self.dimensions), dtype=TYPES[dtype], device=device.torch)
        squares = torch.empty(rows, device=device.torch) if metric != "dot" else None
        with open(path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        for start, end in chunks(rows, self.rows_at_once()):
            self.matrix[start:end] = from_file(mapped, dtype, offset, start, end, self.dimensions)
            part = batches.finite(self.matrix[start:end]).float()
            if squares is not None:
                squares[start:end] = (part * part).sum(1)
        self.squares = squares

    def rows_at_once(self, vectors=1):
        return max(1, min(CHUNK_BYTES // (4 * self.dimensions), CHUNK_SCORES // vectors))

    def search(self, vectors, k):
        """[n, dimensions] -> rows and scores, both [n, k], best first and equal scores by row."""
        vectors = vectors.to(self.device.torch)
        if self.metric == "cosine":
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        best_scores = torch.empty((len(vectors), 0), device=self.device.torch)
        best_rows = torch.empty((len(vectors), 0), dtype=torch.long, device=self.device.torch)
        for start, end in chunks(len(self.matrix), self.rows_at_once(len(vectors))):
            scores, rows = top(self.scores(vectors, start, end), min(k, end - start))
            # Earlier rows stand first, and the sort is stable: the lowest row wins.
            scores, rows = torch.cat((best_scores, scores), 1), torch.cat((best_rows, rows + start), 1)
            best_scores, order = torch.sort(scores, dim=1, descending=True, stable=True)
            best_scores, best_rows = best_scores[:, :k], rows.gather(1, order[:, :k])
        return best_rows, best_scores

    def scores(self, vectors, start, end):
        """In f32 whatever the block is: products rounded to f16 would make ties."""
        found = vectors @ self.matrix[start:end].float().T
        if self.metric == "cosine":
            return found / self.squares[start:end].sqrt().clamp(min=1e-12)
        if self.metric == "l2":
            return 2 * found - self.squares[start:end] - (vectors * vectors).sum(1, keepdim=True)
        return found

    def bytes(self):
        return self.matrix.nbytes + (0 if self.squares is None else self.squares.nbytes)


def top(scores, k):
    """The k best of each line, equal ones by column."""
    columns = torch.sort(torch.topk(scores, k, dim=1).indices, dim=1).values
    values, order = torch.sort(scores.gather(1, columns), dim=1, descending=True, stable=True)
    columns = columns.gather(1, order)
    # topk takes any of those that are equal to its last: where it had a choice, the first ones are taken.
    least = values[:, -1:]
    for line in ((scores >= least).sum(1) > k).nonzero().flatten().tolist():
        among = (scores[line] >= least[line]).nonzero().flatten()
        order = torch.sort(scores[line][among], descending=True, stable=True).indices[:k]
        columns[line], values[line] = among[order], scores[line][among[order]]
    return values, columns


def chunks(count, size):
    return ((start, min(start + size, count)) for start in range(0, count, size))


def from_file(mapped, dtype, offset, start, end, dimensions):
    width = dimensions * TYPES[dtype].itemsize
    flat = torch.frombuffer(
        mapped, dtype=TYPES[dtype], count=(end - start) * dimensions, offset=offset + start * width
    )
    return flat.view(end - start, dimensions)


def layout(path, shape):
    """(type, offset, rows, dimensions) of a .npy, or of raw numbers of the given shape. Raises RequestError."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            found = npy_layout(file) or raw_layout(size, shape)
    except OSError as error:
        raise RequestError("bad-request", "cannot read {}: {}".format(path, error.strerror))
    dtype, offset, rows, dimensions = found
    if rows < 1 or dimensions < 1 or offset + rows * dimensions * TYPES[dtype].itemsize > size:
        raise RequestError("bad-request", "{} has no {} x {} of {}".format(path, rows, dimensions, dtype))
    return found


def npy_layout(file):
    start = file.read(10)
    if start[:6] != b"\x93NUMPY":
        return None
    length = struct.unpack("<H", start[8:10])[0]
    if start[6] > 1:
        length = struct.unpack("<I", start[8:10] + file.read(2))[0]
    try:
        header = ast.literal_eval(file.read(length).decode())
        dtype, (rows, dimensions) = NPY_TYPES[header["descr"]], header["shape"]
    except (ValueError, KeyError, SyntaxError, TypeError):
        raise RequestError("bad-request", "the .npy is no matrix of f16 or f32")
    if header["fortran_order"]:
        raise RequestError("bad-request", "the .npy is in Fortran order")
    return dtype, file.tell(), rows, dimensions


def raw_layout(size, shape):
    dtype, offset, dimensions = shape.get("dtype", "f16"), shape.get("offset", 0), shape.get("dimensions")
    if dtype not in TYPES or not isinstance(dimensions, int) or dimensions < 1 or not isinstance(offset, int):
        raise RequestError("bad-request", "a file without a header needs dimensions, and dtype f16 or f32")
    rows = shape.get("rows") or (size - offset) // (dimensions * TYPES[dtype].itemsize)
    return dtype, offset, rows, dimensions


def answer(block, request):
    """The search op, but for its time."""
    vectors, k = from_base64(request.get("vectors")), request.get("k", 10)
    if not isinstance(k, int) or k < 1 or len(vectors) % block.dimensions:
        raise RequestError("bad-request", "k is 1 or more, vectors have {} numbers each".format(block.dimensions))
    k = min(k, len(block.matrix))
    vectors = batches.finite(vectors.view(-1, block.dimensions))
    try:
        with torch.inference_mode():
            rows, scores = block.search(vectors, k)
    except RuntimeError as error:
        if devices.is_out_of_memory(error):
            raise RequestError("out-of-memory", "no room for the scores of {} vectors".format(len(vectors)))
        devices.refuse_lost(error)
        raise
    return {"k": k, "rows": text(rows.to(torch.int32)), "scores": text(scores.float())}


def text(tensor):
    return base64.b64encode(as_bytes(tensor.cpu())).decode()
