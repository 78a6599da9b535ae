"""Scores of passages for a query, as the authors of the models compute them."""
import inspect
import math
import os

import torch

from . import batches, device as devices, folders, rerankers, tokens

FLAG_PROMPT = (
    "Given a query A and a passage B, determine whether the passage contains an answer to the query by providing a "
    "prediction of either 'Yes' or 'No'."
)
QWEN_PREFIX = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
QWEN_SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
QWEN_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"


def load(folder, device, max_rows):
    kind = rerankers.kind_of(folders.config(folder), folder)
    return {"llm": Llm, "qwen3": Qwen3, "encoder": Encoder}[kind](folder, device, max_rows)


class Reranker(object):
    """max_length is that of the method: see `inputs`. `logits` takes one batch of inputs."""

    def __init__(self, folder, device, max_rows):
        self.name, self.device = os.path.basename(os.path.realpath(folder)), device
        self.tokenizer = tokens.tokenizer_of(folder)
        self.model = devices.load(self.auto_class, folder, device)
        self.padding = tokens.padding_id(self.tokenizer, self.model)
        self.positions = tokens.positions(self.model, self.tokenizer)
        self.batches = batches.Batches(device, max_rows)
        self.digest = folders.digest([folder], self.kind)

    def scores(self, query, passages, max_length):
        """Numbers from 0 to 1 in the order of the passages, and the rows of the largest batch."""
        rows = self.inputs(query, passages, max_length or self.max_length) if passages else []
        logits, most = self.batches.run(rows, self.logits)
        return [sigmoid(logit) for logit in logits], most

    def ids(self, texts, max_length=None):
        return self.tokenizer(
            texts, add_special_tokens=False, truncation=max_length is not None, max_length=max_length
        )["input_ids"]


class Decoder(Reranker):
    """The next token after a prompt decides. Padded on the left, only the last position becomes logits."""

    auto_class = "AutoModelForCausalLM"

    def __init__(self, folder, device, max_rows):
        Reranker.__init__(self, folder, device, max_rows)
        known = inspect.signature(self.model.forward).parameters
        keep = [word for word in ("logits_to_keep", "num_logits_to_keep") if word in known]
        # All of them are [rows, tokens, 256,000]: 35 GB for 128 pairs of 540 tokens.
        self.extra = {} if device.parity else dict({word: 1 for word in keep[:1]}, use_cache=False)
        self.side = self.tokenizer.padding_side if device.parity else "left"

    def last(self, rows):
        """The logits [rows, vocabulary] after each row."""
        multiple = 8 if self.device.torch.type == "cuda" or self.device.parity else 1
        ids, ones = tokens.pad(rows, self.padding, self.side, self.device, multiple)
        logits = self.model(input_ids=ids, attention_mask=ones, **self.extra).logits
        if self.side == "left":
            return logits[:, -1].float()
        return logits[torch.arange(len(rows)), ones.sum(1) - 1].float()


class Llm(Decoder):
    """FlagEmbedding's FlagLLMReranker: the logit of 'Yes'."""

    kind = "llm"
    max_length = 512

    def __init__(self, folder, device, max_rows):
        Decoder.__init__(self, folder, device, max_rows)
        self.separator = self.ids("\n")
        self.prompt = self.separator + self.ids(FLAG_PROMPT)
        self.yes = self.ids("Yes")[0]
        bos = self.tokenizer.bos_token_id
        self.start = [] if bos is None or bos == self.tokenizer.pad_token_id else [bos]

    def inputs(self, query, passages, max_length):
        """max_length: of a passage, and of all before the prompt; a query has three quarters of it at most."""
        max_length = min(max_length, self.positions - 2 * len(self.prompt))
        head = self.start + self.ids("A: " + query, max_length * 3 // 4)
        room = max_length + len(self.prompt) - len(head)
        tails = self.ids(["B: " + passage for passage in passages], max_length)
        return [head + (self.separator + tail)[:room] + self.prompt for tail in tails]

    def logits(self, rows):
        return batches.finite(self.last(rows)[:, self.yes]).tolist()


class Qwen3(Decoder):
    """Qwen3-Reranker's model card: 'yes' against 'no'."""

    kind = "qwen3"
    max_length = 8192

    def __init__(self, folder, device, max_rows):
        Decoder.__init__(self, folder, device, max_rows)
        self.prefix, self.suffix = self.ids(QWEN_PREFIX), self.ids(QWEN_SUFFIX)
        self.answers = self.ids("yes")[:1] + self.ids("no")[:1]

    def inputs(self, query, passages, max_length):
        """max_length: of everything."""
        room = min(max_length, self.positions) - len(self.prefix) - len(self.suffix)
        start = "<Instruct>: {}\n<Query>: {}\n<Document>: ".format(QWEN_INSTRUCTION, query)
        middles = self.ids([start + passage for passage in passages], max(1, room))
        return [self.prefix + middle + self.suffix for middle in middles]

    def logits(self, rows):
        yes, no = self.last(rows)[:, self.answers].unbind(1)
        return batches.finite(yes - no).tolist()


class Encoder(Reranker):
    """A classifier of pairs with one output, as FlagEmbedding's FlagReranker feeds it (bge-reranker-v2-m3)."""

    kind = "encoder"
    max_length = 512
    auto_class = "AutoModelForSequenceClassification"

    def __init__(self, folder, device, max_rows):
        Reranker.__init__(self, folder, device, max_rows)
        self.frame = tokens.pair_frame(self.tokenizer)

    def inputs(self, query, passages, max_length):
        """max_length: of a whole pair with its special tokens; a query has three quarters of it at most."""
        max_length = min(max_length, self.positions)
        first = self.ids(query, max_length * 3 // 4)
        room = max(0, max_length - len(tokens.pair(self.frame, first, [])))
        return [tokens.pair(self.frame, first, second[:room]) for second in self.ids(passages, max_length)]

    def logits(self, rows):
        named = tokens.batch(rows, self.tokenizer, self.padding, self.device)
        return batches.finite(self.model(**named).logits.view(-1).float()).tolist()


def sigmoid(logit):
    """0 to 1, in full precision on both sides."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))
