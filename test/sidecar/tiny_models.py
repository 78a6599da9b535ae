"""
Makes the folder of a tiny random model of each kind and computes, one input at a time and with plain calls of
transformers, what it makes of the cases: `tiny_models.py FOLDER CASES.json` writes FOLDER/<kind>/ and expected.json.
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    GemmaConfig,
    GemmaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

SENTENCES = [
    "Given a query A and a passage B, determine whether the passage contains an answer to the query by providing a "
    "prediction of either 'Yes' or 'No'.",
    "Metformin is the first medicine for type 2 diabetes; its dose is 500 mg to 2,000 mg a day.",
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. yes no Yes No",
    "system user assistant think Instruct Query Document A: B: query: passage: Title. \n",
]
ASCII = [chr(code) for code in range(32, 127)] + ["\n"]
sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}


def save(folder, model, tokenizer, said, shard="1GB"):
    """The tokenizer's settings are written by hand: transformers 5 names classes that 4 does not know."""
    torch.manual_seed(7)
    for weights in model.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, 0, 0.2)
    model.save_pretrained(folder, max_shard_size=shard)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump(dict(said, tokenizer_class="PreTrainedTokenizerFast"), file)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **said), model.eval()


def byte_pairs(specials, start, count=400):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Replace("▁", " ")
    alphabet = ASCII + ["▁"]
    trainer = trainers.BpeTrainer(
        vocab_size=count, special_tokens=specials + ["<unk>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES * 3 + start * 20, trainer)
    return tokenizer


def word_pieces(lowercase=True):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], initial_alphabet=ASCII, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES * 3, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def gemma(folder):
    tokenizer = byte_pairs(["<pad>", "<eos>", "<bos>"], ["Yes", "No"])
    config = GemmaConfig(
        vocab_size=tokenizer.get_vocab_size(), num_key_value_heads=1, head_dim=16, max_position_embeddings=2048, **sizes
    )
    said = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "padding_side": "left"}
    said["model_input_names"] = ["input_ids", "attention_mask"]
    return save(folder, GemmaForCausalLM(config), tokenizer, said, shard="200KB")  # in files, as the large one


def qwen3(folder):
    tokenizer = byte_pairs(["<|im_end|>", "<|im_start|>", "<think>", "</think>"], ["yes", "no"])
    config = Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(), num_key_value_heads=2, head_dim=16, max_position_embeddings=1024, **sizes
    )
    said = {"eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "padding_side": "left"}
    said["model_input_names"] = ["input_ids", "attention_mask"]
    return save(folder, Qwen3ForCausalLM(config), tokenizer, said)


def xlm_roberta(folder):
    tokenizer = byte_pairs(["<s>", "<pad>", "</s>"], [])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=514, type_vocab_size=1, num_labels=1, **sizes
    )
    said = {"cls_token": "<s>", "bos_token": "<s>", "sep_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>"}
    said["model_input_names"] = ["input_ids", "attention_mask"]
    return save(folder, XLMRobertaForSequenceClassification(config), tokenizer, said)


def bert(folder, kind=BertModel, **more):
    tokenizer = word_pieces()
    config = BertConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=512, **sizes, **more)
    said = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    said["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    return save(folder, kind(config), tokenizer, dict(said, model_max_length=512))


def flag_llm_score(tokenizer, model, query, passage, max_length):
    pieces = {text: tokenizer.encode(text, add_special_tokens=False) for text in ("\n", SENTENCES[0], "Yes")}
    query = tokenizer.encode("A: " + query, add_special_tokens=False)[: max_length * 3 // 4]
    passage = tokenizer.encode("B: " + passage, add_special_tokens=False)[:max_length]
    pair = [tokenizer.bos_token_id] + query + pieces["\n"] + passage
    pair = pair[: max_length + len(pieces["\n"]) + len(pieces[SENTENCES[0]])]
    ids = torch.tensor([pair + pieces["\n"] + pieces[SENTENCES[0]]])
    return torch.sigmoid(model(ids).logits[0, -1, pieces["Yes"][0]].double()).item()


def qwen_score(tokenizer, model, query, passage, max_length):
    before = (
        "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
        'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
    )
    after = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    instruct = "<Instruct>: Given a web search query, retrieve relevant passages that answer the query"
    before, after = tokenizer.encode(before), tokenizer.encode(after)
    middle = tokenizer.encode(f"{instruct}\n<Query>: {query}\n<Document>: {passage}")
    ids = before + middle[: max_length - len(before) - len(after)] + after
    logits = model(torch.tensor([ids])).logits[0, -1]
    no, yes = tokenizer.convert_tokens_to_ids(["no", "yes"])
    return torch.softmax(logits[[no, yes]].double(), 0)[1].item()


def classifier_score(tokenizer, model, query, passage, max_length):
    query = tokenizer.encode(query, add_special_tokens=False)[: max_length * 3 // 4]
    passage = tokenizer.encode(passage, add_special_tokens=False)
    passage = passage[: max_length - len(query) - 4]
    ids = torch.tensor([[0] + query + [2, 2] + passage + [2]])
    return torch.sigmoid(model(input_ids=ids).logits[0, 0].double()).item()


def typed_score(tokenizer, model, query, passage, max_length):
    """Of a classifier that tells its two texts apart by their types."""
    query = tokenizer.encode(query, add_special_tokens=False)[: max_length * 3 // 4]
    passage = tokenizer.encode(passage, add_special_tokens=False)[: max_length - len(query) - 3]
    ids, types = [2] + query + [3] + passage + [3], [0] * (len(query) + 2) + [1] * (len(passage) + 1)
    logits = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits
    return torch.sigmoid(logits[0, 0].double()).item()


def vector(loaded, texts, pooling, max_length, normalise=False):
    tokenizer, model = loaded
    # Lists of one: a pair of bare strings whose second is empty would become a single text.
    found = tokenizer(*[[text] for text in texts], truncation=True, max_length=max_length, return_tensors="pt")
    states = model(**found).last_hidden_state[0]
    pooled = states[0] if pooling == "cls" else states.mean(0)
    return (pooled / pooled.norm() if normalise else pooled).tolist()


def write_json(folder, name, value):
    os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
    with open(os.path.join(folder, name), "w") as file:
        json.dump(value, file)


def main(top, cases):
    inside = lambda name: os.path.join(top, name)
    scored = [
        ("gemma", gemma(inside("gemma")), flag_llm_score, 512),
        ("qwen3", qwen3(inside("qwen3")), qwen_score, 1024),
        ("xlm-roberta", xlm_roberta(inside("xlm-roberta")), classifier_score, 512),
        ("bert", bert(inside("bert"), BertForSequenceClassification, num_labels=1), typed_score, 512),
    ]
    expected = {
        kind: [
            [score(*loaded, case["query"], passage, case.get("max_length", length)) for passage in case["passages"]]
            for case in cases["rerank"]
        ]
        for kind, loaded, score, length in scored
    }
    named = {name: bert(inside(name)) for name in ("hub/ncbi/MedCPT-Query-Encoder", "hub/intfloat/e5-base-v2")}
    query = named["hub/ncbi/MedCPT-Query-Encoder"]
    article = bert(inside("hub/ncbi/MedCPT-Article-Encoder"))
    with torch.no_grad():
        article[1].embeddings.word_embeddings.weight.mul_(1.5)
    article[1].save_pretrained(inside("hub/ncbi/MedCPT-Article-Encoder"))
    e5 = named["hub/intfloat/e5-base-v2"]
    contriever, specter = bert(inside("hub/contriever")), bert(inside("hub/allenai/specter"))
    # As its authors keep it: pickled.
    os.remove(inside("hub/allenai/specter/model.safetensors"))
    torch.save(specter[1].state_dict(), inside("hub/allenai/specter/pytorch_model.bin"))
    mean, first = bert(inside("mean")), bert(inside("first"))
    write_json(inside("mean"), "modules.json", [{"type": "sentence_transformers.models.Transformer", "path": ""}])
    write_json(
        inside("first"),
        "modules.json",
        [
            {"type": "sentence_transformers.models.Transformer", "path": ""},
            {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
            {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"},
        ],
    )
    said = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False, "word_embedding_dimension": 64}
    write_json(inside("first"), "1_Pooling/config.json", said)
    write_json(inside("first"), "sentence_bert_config.json", {"max_seq_length": 32})
    write_json(inside("first"), "config_sentence_transformers.json", {"prompts": {"query": "Query: "}})
    pairs = [(passage["title"], passage["text"]) for passage in cases["passages"]]
    below = lambda pair: pair[0] + "\n" + pair[1] if pair[0] else pair[1]
    dotted = lambda pair: (pair[0] + ". " + pair[1]).replace("..", ".") if pair[0] else pair[1]
    expected["vectors"] = {
        "medcpt": {
            "query": [vector(query, [text], "cls", 64) for text in cases["queries"]],
            "passage": [vector(article, list(pair), "cls", 512) for pair in pairs],
        },
        "e5": {
            "query": [vector(e5, ["query: " + text], "mean", 512, True) for text in cases["queries"]],
            "passage": [vector(e5, ["passage: " + below(pair)], "mean", 512, True) for pair in pairs],
        },
        "contriever": {
            "query": [vector(contriever, [text], "mean", 512) for text in cases["queries"]],
            "passage": [vector(contriever, [dotted(pair)], "mean", 512) for pair in pairs],
        },
        "specter": {
            "query": [vector(specter, [text], "cls", 512) for text in cases["queries"]],
            "passage": [vector(specter, ["[SEP]".join(pair) if pair[0] else pair[1]], "cls", 512) for pair in pairs],
        },
        "mean": {
            "query": [vector(mean, [text], "mean", 512) for text in cases["queries"]],
            "passage": [vector(mean, [below(pair)], "mean", 512) for pair in pairs],
        },
        "first": {
            "query": [vector(first, ["Query: " + text], "cls", 32, True) for text in cases["queries"]],
            "passage": [vector(first, [below(pair)], "cls", 32, True) for pair in pairs],
        },
    }
    write_json(top, "expected.json", expected)


if __name__ == "__main__":
    with open(sys.argv[2]) as file, torch.no_grad():
        main(sys.argv[1], json.load(file))
