"""Which way of scoring a model folder is made for: read from its config.json without torch."""
from .frames import Fatal


def kind_of(config, folder):
    """`llm`: the logit of 'Yes' (bge-reranker-v2-gemma); `qwen3`: 'yes' against 'no'; `encoder`: a classifier's one."""
    architecture = (config.get("architectures") or [""])[0]
    model_type = config.get("model_type") or ""
    if architecture.endswith("ForSequenceClassification"):
        if label_count(config) != 1:
            raise unknown(folder, "has {} labels, not one score".format(label_count(config)))
        if model_type.startswith(("qwen", "gemma", "llama", "mistral")):
            raise unknown(folder, "is a decoder with a classifier")
        return "encoder"
    if architecture.endswith("ForCausalLM"):
        return "qwen3" if model_type == "qwen3" else "llm"
    raise unknown(folder, "is a {}".format(architecture or "model without architectures in config.json"))


def label_count(config):
    labels = config.get("id2label")
    return len(labels) if labels else config.get("num_labels", 2)


def unknown(folder, what):
    return Fatal(
        "model-unknown",
        "Cannot rerank with {}: it {}".format(folder, what),
        "known: bge-reranker-v2-gemma, bge-reranker-v2-m3 and their like, Qwen3-Reranker",
    )
