"""Which models make vectors of which texts, and how: read without torch."""
import collections
import os

from . import folders
from .frames import Fatal

# join: how title and text of a passage become one input. Each line as the model was trained and as MedRAG (MedCPT,
# Contriever, SPECTER) and FlashRAG (e5) made the vectors that people already have.
Recipe = collections.namedtuple(
    "Recipe", "query passage pooling query_prefix passage_prefix join query_length passage_length normalise metric"
)
E5 = Recipe(
    "intfloat/e5-base-v2", "intfloat/e5-base-v2", "mean", "query: ", "passage: ", "lines", 512, 512, True, "cosine"
)
NAMED = {
    "medcpt": Recipe(
        "ncbi/MedCPT-Query-Encoder", "ncbi/MedCPT-Article-Encoder", "cls", "", "", "pair", 64, 512, False, "dot"
    ),
    "e5": E5,
    "contriever": Recipe(
        "facebook/contriever", "facebook/contriever", "mean", "", "", "sentences", 512, 512, False, "dot"
    ),
    "specter": Recipe("allenai/specter", "allenai/specter", "cls", "", "", "separator", 512, 512, False, "l2"),
}
# Families whose folders do not say which prefixes they were trained with.
PREFIXES = (
    ("e5-", ("query: ", "passage: ")),
    ("multilingual-e5-", ("query: ", "passage: ")),
    ("bge-small-en-v1.5", ("Represent this sentence for searching relevant passages: ", "")),
    ("bge-base-en-v1.5", ("Represent this sentence for searching relevant passages: ", "")),
    ("bge-large-en-v1.5", ("Represent this sentence for searching relevant passages: ", "")),
)
METRICS = {"cosine": "cosine", "dot": "dot", "dot_product": "dot", "euclidean": "l2"}

# name: the word it is asked for by; folders: of the query model and of the passage model, one and the same for most.
Encoder = collections.namedtuple("Encoder", "name query_folder passage_folder recipe")


def resolve(word):
    """`medcpt`, `medcpt=/models`, a folder, or a name on the hub -> Encoder. Raises Fatal where nothing is found."""
    name, _, below = word.partition("=")
    if name in NAMED:
        recipe = NAMED[name]
        query = folders.locate(recipe.query, below or None, name)
        passage = query if recipe.passage == recipe.query else folders.locate(recipe.passage, below or None, name)
        return Encoder(name, query, passage, recipe)
    folder = word if os.path.isdir(word) else None
    if folder is None and word.count("/") == 1 and not word.startswith((".", "/")):
        folder = folders.locate(word)
    if folder is None:
        raise Fatal(
            "no-model",
            "Cannot find the encoder {}: it is no folder, and none of {}".format(word, ", ".join(sorted(NAMED))),
            "ls -d " + word,
        )
    called = os.path.basename(os.path.realpath(folder))
    for known in NAMED.values():
        if called in (os.path.basename(known.query), os.path.basename(known.passage)):
            return named_by_folder(word, folder, known)
    return Encoder(word, folder, folder, folder_recipe(folder, os.path.basename(word.rstrip("/"))))


def named_by_folder(word, folder, recipe):
    """A known model by its folder: the other one of a pair lies beside it."""
    beside = os.path.dirname(os.path.realpath(folder))
    if recipe.query == recipe.passage:
        return Encoder(word, folder, folder, recipe)
    return Encoder(word, folders.locate(recipe.query, beside), folders.locate(recipe.passage, beside), recipe)


def folder_recipe(folder, name):
    """As sentence-transformers reads its folder; without its files the mean of all tokens, as it would do itself."""
    modules = folders.read_json(folder, "modules.json") or []
    kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
    unknown = sorted(set(kinds) - {"Transformer", "Pooling", "Normalize"})
    if unknown:
        raise Fatal(
            "model-unknown",
            "Cannot encode with {}: it ends in a layer {}".format(folder, ", ".join(unknown)),
            "models of Transformer, Pooling and Normalize are known",
        )
    pooling = next((module["path"] for module in modules if module["type"].endswith("Pooling")), "1_Pooling")
    said = folders.read_json(folder, "config_sentence_transformers.json") or {}
    prompts = said.get("prompts") or {}
    by_name = next((prefixes for start, prefixes in PREFIXES if name.startswith(start)), ("", ""))
    length = max_length(folder)
    return Recipe(
        query=folder,
        passage=folder,
        pooling=pooling_of(folder, folders.read_json(folder, pooling, "config.json")),
        query_prefix=prompts.get("query") or by_name[0],
        passage_prefix=prompts.get("passage") or prompts.get("document") or by_name[1],
        join="lines",
        query_length=length,
        passage_length=length,
        normalise="Normalize" in kinds,
        metric=METRICS.get(said.get("similarity_fn_name") or "cosine", "cosine"),
    )


def pooling_of(folder, said):
    if said is None:
        return "mean"
    modes = [key[len("pooling_mode_") :] for key, on in said.items() if key.startswith("pooling_mode_") and on is True]
    modes += [said["pooling_mode"]] if isinstance(said.get("pooling_mode"), str) else []
    known = {"cls_token": "cls", "cls": "cls", "mean_tokens": "mean", "mean": "mean"}
    if len(modes) != 1 or modes[0] not in known:
        raise Fatal(
            "model-unknown",
            "Cannot encode with {}: it pools by {}".format(folder, " and ".join(modes) or "nothing"),
            "models that pool by the first token or by the mean are known",
        )
    return known[modes[0]]


def max_length(folder):
    said = (folders.read_json(folder, "sentence_bert_config.json") or {}).get("max_seq_length")
    return said if isinstance(said, int) else 512
