"""Vectors of queries and of passages."""
import base64

import torch

from . import batches, device as devices, folders, tokens
from .frames import MAX_FRAME_BYTES, RequestError


class Encoder(object):
    """An encoder of `encoders.resolve`, loaded: one model for both kinds of text, or two."""

    def __init__(self, described, device, max_rows):
        self.name, self.recipe, self.device = described.name, described.recipe, device
        self.batches = batches.Batches(device, max_rows)
        self.query = Tower(described.query_folder, device)
        same = described.passage_folder == described.query_folder
        self.passage = self.query if same else Tower(described.passage_folder, device)
        self.dimensions = self.passage.model.config.hidden_size
        folders_used = [described.query_folder] + ([] if same else [described.passage_folder])
        # Not where they lie: the same model elsewhere makes the same vectors.
        self.digest = folders.digest(folders_used, described.recipe._replace(query="", passage=""))

    def encode(self, texts, kind):
        """texts: strings or (title, text). Little-endian f32 rows as bytes, and the rows of the largest batch."""
        if len(texts) * self.dimensions * 16 // 3 > MAX_FRAME_BYTES - 4096:
            raise RequestError("bad-request", "the vectors of {} texts are over 64 MiB".format(len(texts)))
        tower = self.query if kind == "query" else self.passage
        rows = self.rows(tower, texts, kind) if texts else []
        vectors, most = self.batches.run(rows, lambda batch: self.vectors(tower, batch))
        return b"".join(vectors), most

    def rows(self, tower, texts, kind):
        recipe = self.recipe
        length = min(recipe.query_length if kind == "query" else recipe.passage_length, tower.positions)
        if recipe.join == "pair" and kind == "passage":
            pairs = [text if isinstance(text, tuple) else ("", text) for text in texts]
            inputs = [title for title, _ in pairs], [text for _, text in pairs]
        else:
            prefix = recipe.query_prefix if kind == "query" else recipe.passage_prefix
            inputs = ([prefix + joined(text, recipe.join, tower.tokenizer) for text in texts],)
        found = tower.tokenizer(*inputs, truncation=True, max_length=length, return_token_type_ids=True)
        return [tokens.Row(ids, types) for ids, types in zip(found["input_ids"], found["token_type_ids"])]

    def vectors(self, tower, rows):
        named = tokens.batch(rows, tower.tokenizer, tower.padding, self.device)
        states = tower.model(**named).last_hidden_state.float()
        pooled = states[:, 0] if self.recipe.pooling == "cls" else mean(states, named["attention_mask"])
        if self.recipe.normalise:
            pooled = torch.nn.functional.normalize(pooled, dim=1)
        return [as_bytes(vector) for vector in batches.finite(pooled).cpu()]

    def frame(self):
        recipe = self.recipe
        return {
            "name": self.name,
            "model": recipe.query,
            "digest": self.digest,
            "dimensions": self.dimensions,
            "metric": recipe.metric,
            "max_length": min(recipe.passage_length, self.passage.positions),
            "prefixes": {"query": recipe.query_prefix, "passage": recipe.passage_prefix},
        }


class Tower(object):
    """A model with its tokenizer."""

    def __init__(self, folder, device):
        self.tokenizer = tokens.tokenizer_of(folder)
        self.model = devices.load("AutoModel", folder, device)
        self.padding = tokens.padding_id(self.tokenizer, self.model)
        self.positions = tokens.positions(self.model, self.tokenizer)


def joined(text, how, tokenizer):
    """One input of a title and a text; a text that has no title is itself."""
    if not isinstance(text, tuple):
        return text
    title, text = text
    if not title:
        return text
    if how == "separator":
        return title + tokenizer.sep_token + text
    if how == "sentences":
        return (title + ". " + text).replace("..", ".").replace("?.", "?")
    return title + "\n" + text


def mean(states, ones):
    """Of the tokens that are no padding."""
    weights = ones.unsqueeze(2).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def as_bytes(vector):
    """As it lies in memory: little-endian on all that torch is built for."""
    return vector.numpy().tobytes()


def from_base64(text):
    """base64 of little-endian f32 -> a flat tensor. Raises RequestError."""
    try:
        return torch.frombuffer(bytearray(base64.b64decode(text, validate=True)), dtype=torch.float32)
    except (ValueError, TypeError, RuntimeError):
        raise RequestError("bad-request", "vectors are no base64 of one f32 or more")
