"""Texts to rows of token ids, and rows to the tensors of a batch."""
import torch
import transformers

from . import folders


class Row(object):
    """The token ids of one input, special tokens and all, and which of its two texts each belongs to."""

    def __init__(self, ids, types):
        self.ids, self.types = ids, types

    def __len__(self):
        return len(self.ids)


def tokenizer_of(folder):
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise folders.unreadable(folder, "{}: {}".format(type(error).__name__, str(error)[:300]))
    if not tokenizer.is_fast:
        raise folders.unreadable(folder, "it has no tokenizer.json (save it once with transformers' own tokenizer)")
    return tokenizer


def pad(rows, padding, side, device, multiple=1):
    """Rows of token ids of different lengths -> two tensors [rows, longest]: ids, and 1 where there is a token."""
    longest = -(-max(map(len, rows)) // multiple) * multiple
    left = side == "left"
    ids = [(longest - len(row)) * [padding] + row if left else row + (longest - len(row)) * [padding] for row in rows]
    ones = [
        (longest - len(row)) * [0] + len(row) * [1] if left else len(row) * [1] + (longest - len(row)) * [0]
        for row in rows
    ]
    return torch.tensor(ids, device=device.torch), torch.tensor(ones, device=device.torch)


def padding_id(tokenizer, model):
    """XLM-R counts positions by what is not padding, so it must be the model's own."""
    found = [tokenizer.pad_token_id, getattr(model.config, "pad_token_id", None), 0]
    return next(number for number in found if number is not None)


def positions(model, tokenizer):
    """How many tokens a model can hold: past it a GPU ends with an assertion that costs the whole process."""
    count = getattr(model.config, "max_position_embeddings", None) or 1 << 20
    if "roberta" in model.config.model_type or model.config.model_type == "camembert":
        count -= padding_id(tokenizer, model) + 1
    return count


def batch(rows, tokenizer, padding, device):
    """Rows -> what the forward of an encoder takes. Padded on the right: it counts positions, and the first is read."""
    ids, ones = pad([row.ids for row in rows], padding, "right", device)
    named = {"input_ids": ids, "attention_mask": ones}
    if "token_type_ids" in tokenizer.model_input_names:
        named["token_type_ids"], _ = pad([row.types for row in rows], 0, "right", device)
    return named


def pair_frame(tokenizer):
    """
    The special tokens around the texts of a pair, as (ids, types) before, between and after them, read off one:
    transformers 5 has no call that puts them around ids.
    """
    pair = tokenizer("query", "passage", return_token_type_ids=True)
    ids, types, owners = pair["input_ids"], pair["token_type_ids"], pair.sequence_ids(0)
    first, second = owners.index(0), owners.index(1)
    end = first + owners.count(0)
    last = second + owners.count(1)
    around = ((0, first), (end, second), (last, None))
    return types[first], types[second], [Row(ids[a:b], types[a:b]) for a, b in around]


def pair(frame, first, second):
    """The row of two texts, each given as its ids."""
    type_a, type_b, (before, between, after) = frame
    return Row(
        before.ids + first + between.ids + second + after.ids,
        before.types + len(first) * [type_a] + between.types + len(second) * [type_b] + after.types,
    )
