"""What lies in the folder of a model. Nothing but the standard library: it must say what is wrong without torch."""
import glob
import hashlib
import json
import os
import struct

from .frames import Fatal

WHOLE_BYTES = 64 << 20  # a file up to this size is hashed whole
SAMPLES, SAMPLE_BYTES = 256, 1 << 16
VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "spiece.model",
    "vocab.json",
)


def read_json(*path):
    """The object in a file; None where there is none. Raises Fatal where it cannot be read."""
    path = os.path.join(*path)
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unreadable(path, error)


def unreadable(path, why):
    return Fatal(
        "model-unreadable", "Cannot read {}: {}".format(path, why), "copy the model's folder again, every file of it"
    )


def config(folder):
    """config.json of a model, once it is known that its weights and its tokenizer can be read."""
    if not os.path.isdir(folder):
        raise Fatal("no-model", "Cannot find the model folder {}".format(folder), "ls " + folder)
    found = read_json(folder, "config.json")
    if found is None:
        adapter = os.path.exists(os.path.join(folder, "adapter_config.json"))
        hint = "merge the adapter into its base model and save that" if adapter else "it is the folder with config.json"
        raise Fatal("no-model", "Cannot use {} as a model: it has no config.json".format(folder), hint)
    for path in weights(folder):
        why = weight_fault(path)
        if why:
            raise unreadable(path, why)
    if not any(os.path.exists(os.path.join(folder, name)) for name in VOCABULARIES):
        raise unreadable(folder, "it has no tokenizer ({})".format(", ".join(VOCABULARIES[:4])))
    return found


def weights(folder):
    """The weight files that will be read: safetensors if there are any. Raises Fatal where one is missing."""
    for single, index in (
        ("model.safetensors", "model.safetensors.index.json"),
        ("pytorch_model.bin", "pytorch_model.bin.index.json"),
    ):
        if os.path.exists(os.path.join(folder, single)):
            return [os.path.join(folder, single)]
        shards = read_json(folder, index)
        if shards is not None:
            return [os.path.join(folder, name) for name in sorted(set(shards.get("weight_map", {}).values()))]
    raise unreadable(folder, "it has neither model.safetensors nor pytorch_model.bin")


def weight_fault(path):
    """Why a weight file cannot be whole, or None. Reads its header only."""
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            start = file.read(24)
            if start.startswith(b"version https://git-lfs"):
                return "it is a Git LFS pointer, not the weights (git lfs pull)"
            if not path.endswith(".safetensors"):
                return None if size > 1024 else "it has {} bytes".format(size)
            if size < 10:
                return "it has {} bytes".format(size)
            length = struct.unpack("<Q", start[:8])[0]
            if length > size - 8:
                return "its header is cut off or no safetensors header"
            file.seek(8)
            header = json.loads(file.read(length).decode())
        end = max([0] + [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"])
        return None if 8 + length + end == size else "it has {} bytes of {}".format(size, 8 + length + end)
    except OSError as error:
        return error.strerror
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "its header is no safetensors header"


def describe(folder):
    paths = weights(folder)
    return {
        "folder": os.path.realpath(folder),
        "weights": [{"file": os.path.basename(path), "bytes": os.path.getsize(path)} for path in paths],
        "bytes": sum(os.path.getsize(path) for path in paths),
    }


def digest(folders, recipe):
    """
    Names what models make of a text: configuration, vocabulary, weights, and `recipe`, what is done with them. Large
    files by their size and 256 samples: two trainings of one model differ everywhere, and 10 GB take a minute to hash.
    """
    hashed = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    for folder in folders:
        named = [os.path.join(folder, name) for name in ("config.json",) + VOCABULARIES]
        for path in [path for path in named if os.path.exists(path)] + weights(folder):
            hashed.update("{}\0{}\0".format(os.path.basename(path), os.path.getsize(path)).encode())
            for piece in pieces(path):
                hashed.update(piece)
    return hashed.hexdigest()


def pieces(path):
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        if size <= WHOLE_BYTES:
            yield file.read()
            return
        for sample in range(SAMPLES):
            file.seek((size - SAMPLE_BYTES) * sample // (SAMPLES - 1))
            yield file.read(SAMPLE_BYTES)


def cache_folders():
    """Where huggingface_hub keeps what it downloaded, in its own order."""
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "huggingface"
    )
    named = [os.environ.get("HF_HUB_CACHE"), os.environ.get("HUGGINGFACE_HUB_CACHE"), os.path.join(home, "hub")]
    return [folder for folder in named if folder]


def snapshots(cache, repository):
    """The folders of a repository in the cache: that of `main` first, then the newest."""
    top = os.path.join(cache, "models--" + repository.replace("/", "--"))
    found = sorted(glob.glob(os.path.join(glob.escape(top), "snapshots", "*")), key=os.path.getmtime, reverse=True)
    try:
        with open(os.path.join(top, "refs", "main")) as file:
            main = os.path.join(top, "snapshots", file.read().strip())
    except OSError:
        return found
    return [main] + [folder for folder in found if folder != main]


def locate(repository, below=None, name=None):
    """
    The folder of a model of the Hugging Face hub. `below`: the folder that was named, which is the model's own or
    holds it as owner/name or name; else the cache is asked. `name`: what the user calls it, for the hint.
    """
    if below is not None:
        looked = [os.path.join(below, repository), os.path.join(below, os.path.basename(repository)), below]
    else:
        looked = [folder for cache in cache_folders() for folder in snapshots(cache, repository)]
    for folder in looked:
        if os.path.exists(os.path.join(folder, "config.json")):
            return folder
    where = looked if below is not None else cache_folders()
    top = below or "/models"
    hint = "where there is a network: hf download {} --local-dir {}".format(repository, os.path.join(top, repository))
    raise Fatal(
        "no-model",
        "Cannot find the model {}: looked in {}".format(repository, ", ".join(where)),
        hint + (", then {}={}".format(name, top) if name else ""),
    )
