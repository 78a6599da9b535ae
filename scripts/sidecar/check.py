"""What is missing before anything is loaded: Python, packages, a GPU, the folders of the models."""
import sys

from . import encoders, folders, rerankers
from .frames import Fatal

OLDEST_PYTHON = (3, 8)
OLDEST = (("torch", (2, 1)), ("transformers", (4, 50)), ("safetensors", (0, 4)))
INSTALL = "{} -m pip install torch transformers safetensors".format(sys.executable)


def refuse(problems):
    if problems:
        raise problems[0]


def version_of(name):
    """The version of a package, None where there is none, or the error that its import ends in."""
    try:
        return __import__(name).__version__
    except ImportError as error:
        return None if getattr(error, "name", None) == name else error
    except Exception as error:  # a broken CUDA library: OSError; a version clash: anything
        return error


def python_problems():
    if sys.version_info >= OLDEST_PYTHON:
        return []
    message = "Cannot run a model with Python {}.{}: torch and transformers need 3.8 or newer".format(*sys.version_info)
    return [Fatal("python-too-old", message, "export RERANKER_PYTHON=/path/to/python3 (one that has torch)")]


def package_problems():
    """Imports the packages: seconds. Raises nothing."""
    problems = []
    for name, oldest in OLDEST:
        version = version_of(name)
        if isinstance(version, str):
            if numbers(version) < oldest:
                message = "Cannot run a model: {} {} is older than {}.{}".format(name, version, *oldest)
                problems.append(Fatal("no-" + name, message, INSTALL + " --upgrade"))
        elif version is None:
            message = "Cannot run a model: {} has no {}".format(sys.executable, name)
            problems.append(Fatal("no-" + name, message, INSTALL + ", or RERANKER_PYTHON=/path/to/python3"))
        else:
            message = "Cannot import {}: {}".format(name, str(version).split("\n")[0][:300])
            problems.append(Fatal("no-" + name, message, INSTALL))
    return problems


def numbers(version):
    """Major and minor, of `2.15.0+cu132` too."""
    return tuple(int(word) if word.isdigit() else 0 for word in version.split(".")[:2])


def models(options):
    """(what to call it, what makes its description) of each model that was asked for."""
    if options.rerank:
        yield "rerank", options.rerank, lambda: reranker_description(options.rerank)
    for word in options.encode:
        yield "encode", word, lambda word=word: encoder_description(word)


def reranker_description(folder):
    kind = rerankers.kind_of(folders.config(folder), folder)
    return dict(folders.describe(folder), kind=kind)


def encoder_description(word):
    encoder = encoders.resolve(word)
    for folder in (encoder.query_folder, encoder.passage_folder):
        folders.config(folder)
    described = {"metric": encoder.recipe.metric, "pooling": encoder.recipe.pooling}
    described["query"] = folders.describe(encoder.query_folder)
    if encoder.passage_folder != encoder.query_folder:
        described["passage"] = folders.describe(encoder.passage_folder)
    return described


def folder_problems(options):
    return [found for _, _, found in described_models(options) if isinstance(found, Fatal)]


def described_models(options):
    for role, name, describe in models(options):
        try:
            yield role, name, describe()
        except Fatal as problem:
            yield role, name, problem


def cuda():
    """What torch sees of GPUs; it must have been imported."""
    import torch

    available = torch.cuda.is_available()
    devices = range(torch.cuda.device_count()) if available else ()
    return {
        "available": available,
        "built_for": torch.version.cuda,
        "devices": [
            {"name": torch.cuda.get_device_name(at), "memory_bytes": torch.cuda.get_device_properties(at).total_memory}
            for at in devices
        ],
    }


def report(options):
    """One object: what is there, and `problems`, in the order in which a start would meet them."""
    found = list(described_models(options))
    problems = [model for _, _, model in found if isinstance(model, Fatal)] + python_problems() + package_problems()
    versions = {name: version_of(name) for name, _ in OLDEST}
    seen = cuda() if isinstance(versions["torch"], str) else None
    if seen is not None and not seen["available"] and not options.allow_cpu and options.device != "cpu":
        problems.append(no_gpu(seen["built_for"]))
    return {
        "ok": not problems,
        "python": {"executable": sys.executable, "version": "{}.{}.{}".format(*sys.version_info)},
        "packages": {name: version if isinstance(version, str) else None for name, version in versions.items()},
        "cuda": seen,
        "models": [
            dict(role=role, name=name, **(model if isinstance(model, dict) else {"problem": model.message}))
            for role, name, model in found
        ],
        "problems": [problem.frame() for problem in problems],
    }


def no_gpu(built_for):
    if built_for is None:
        return Fatal("no-gpu", "Cannot use a GPU: this torch is built for the CPU alone", "--allow-cpu, or " + INSTALL)
    message = "Cannot use a GPU: torch (built for CUDA {}) sees none in CUDA_VISIBLE_DEVICES".format(built_for)
    return Fatal("no-gpu", message, "nvidia-smi; --allow-cpu runs on the CPU, slowly")
