"""
The sidecar with a library that misbehaves, as the words in the file STRANGE say, read before each forward:
    tokens:N    a batch of more than N padded tokens does not fit into the memory
    prints      a line is printed to stdout, in Python and past it
    sleeps      it takes a minute
    infinite    the logits are not finite
Run as `strange_sidecar.py SIDECAR.PY ARGUMENT...`.
"""
import functools
import os
import runpy
import sys
import time

import torch
import transformers


def strange(forward):
    @functools.wraps(forward)  # the sidecar looks at its parameters
    def misbehaving(self, *arguments, **named):
        with open(os.environ["STRANGE"]) as file:
            words = dict(word.partition(":")[::2] for word in file.read().split())
        rows, tokens = named["input_ids"].shape
        if "prints" in words:
            print('{"id":1,"scores":[]}', flush=True)
            os.write(1, b"a line of a library in C\n")
        if "sleeps" in words:
            print("a forward begins", file=sys.stderr, flush=True)
            time.sleep(60)
        if rows * tokens > int(words.get("tokens", 1 << 30)):
            print("forward of {} x {} tokens fails".format(rows, tokens), file=sys.stderr, flush=True)
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        answer = forward(self, *arguments, **named)
        if "infinite" in words:
            answer.logits.fill_(float("nan"))
        return answer

    return misbehaving


transformers.GemmaForCausalLM.forward = strange(transformers.GemmaForCausalLM.forward)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
