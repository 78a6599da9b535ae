"""Many inputs of different lengths through a model: the longest first, as many at once as the memory holds."""
import math
import sys
import time

import torch

from . import device as devices
from .frames import RequestError


class Batches(object):
    """
    Memory goes with the padded tokens of a batch, rows times the longest, so that is what is remembered: after a
    batch did not fit, no batch has more than half of its tokens, and short inputs still go many at a time.
    """

    def __init__(self, device, max_rows):
        self.device = device
        self.max_rows = max_rows
        self.max_tokens = math.inf
        self.longest = 1
        self.done = 0
        self.seconds = 0.0

    def rows(self, longest=None):
        """How many inputs of that many tokens go at once; without: of the longest of the last run."""
        return int(max(1, min(self.max_rows, self.max_tokens // (longest or self.longest))))

    def run(self, items, forward):
        """
        items: lists whose len is a number of tokens, none empty. forward: a list of them -> as many results.
        Results in the order of the items, and the rows of the largest batch. Raises RequestError.
        """
        order = sorted(range(len(items)), key=lambda at: -len(items[at]))
        results = [None] * len(items)
        most = at = 0
        self.longest = len(items[order[0]]) if items else self.longest
        started = time.perf_counter()
        while at < len(order):
            part = order[at : at + self.rows(len(items[order[at]]))]
            found = self.attempt([items[index] for index in part], forward)
            if found is None:
                continue
            for index, result in zip(part, found):
                results[index] = result
            at += len(part)
            most = max(most, len(part))
        self.done += len(items)
        self.seconds += time.perf_counter() - started
        return results, most

    def attempt(self, batch, forward):
        """The results of one batch; None where it did not fit and a smaller one may."""
        try:
            with torch.inference_mode():
                return forward(batch)
        except RuntimeError as error:
            if not devices.is_out_of_memory(error):
                devices.refuse_lost(error)
                raise
        # Outside of the except block: the error's traceback holds the tensors of the batch.
        self.free()
        longest = len(batch[0])
        if len(batch) == 1:
            message = "one input of {} tokens does not fit into the memory of {}".format(longest, self.device.name)
            raise RequestError("out-of-memory", message)
        self.max_tokens = len(batch) * longest // 2
        print("{} x {} tokens did not fit: half of that from now on".format(len(batch), longest), file=sys.stderr)
        return None

    def free(self):
        if self.device.torch.type == "cuda":
            torch.cuda.empty_cache()

    def rate(self):
        return round(self.done / self.seconds, 1) if self.seconds > 0 else None


def finite(values):
    """A score or a vector that is not a number would be sorted anywhere: it is refused. values: a tensor."""
    if not torch.isfinite(values).all():
        raise RequestError("failed", "the model answered with numbers that are not finite; try --fp16 0")
    return values
