#!/usr/bin/env python3
"""The retriever of a training or evaluation run: asks the supervisor of this node. Standard library, Python 3.6.

    from local_medrag_retriever import get_retriever
    get_retriever(corpus_name="MedCorp", gpu_id=3).retrieve(["diabetes"], topk=3)

Shaped for Search-R1 (`get_retriever`), MedRAG (`RetrievalSystem`) and FlashRAG (`search`, `batch_search`). Models and
index live in the supervisor, on its own GPUs, so nothing is loaded here. It is found by RAG_RETRIEVER_URL or RAG_URL,
else by its files in RAG_RUNTIME_STATE (default: `runtime` under RAG_SHARED_ROOT, ./rag-data).
"""
import http.client
import json
import os
import socket
import stat
import sys
import time

MAX_QUERIES = 4096  # in one request; the rest goes in the next
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Result(dict):
    """`{"result": lists}` that is also the lists: both readings of the original are in use."""

    def __iter__(self):
        return iter(self["result"])

    def __len__(self):
        return len(self["result"])

    def __getitem__(self, key):
        return dict.__getitem__(self, "result")[key] if isinstance(key, (int, slice)) else dict.__getitem__(self, key)


class Retriever(object):
    """Safe to share between threads, to pickle and to fork: it holds no connection."""

    def __init__(self, topk=5, wait_s=600.0, name=None):
        """wait_s: how long a supervisor may be away or not there yet, before a call fails. name: of the retriever."""
        self.topk = topk
        self.wait_s = wait_s
        self.name = name

    def retrieve(self, queries, topk=None, return_scores=True):
        """One list of hits for each query, in their order: `{"document", "score"}`, or bare documents."""
        queries = [queries] if isinstance(queries, str) else list(queries)
        lists = []
        for start in range(0, len(queries), MAX_QUERIES):
            body = {
                "queries": queries[start : start + MAX_QUERIES],
                "topk": topk or self.topk,
                "return_scores": bool(return_scores),
            }
            lists.extend(_ask(body, self.wait_s)["result"])
        _warn_of_another(self.name)
        return Result(result=lists)

    def search(self, query, num=None, return_score=False):
        """FlashRAG's: documents, or documents and scores."""
        if not isinstance(query, str):
            return self.batch_search(query, num, return_score)
        documents, scores = self.batch_search([query], num, True)
        return (documents[0], scores[0]) if return_score else documents[0]

    def batch_search(self, query, num=None, return_score=False):
        lists = self.retrieve(query, num)["result"]
        documents = [[hit["document"] for hit in hits] for hits in lists]
        scores = [[hit["score"] for hit in hits] for hits in lists]
        return (documents, scores) if return_score else documents


class RetrievalSystem(object):
    """MedRAG's: one question, passages as `{"id", "title", "content"}`, and their scores."""

    def __init__(self, retriever_name=None, corpus_name="Textbooks", db_dir="./corpus", HNSW=False, cache=False):
        self.retriever_name = retriever_name
        self.corpus_name = corpus_name
        self.retriever = Retriever(name=retriever_name)

    def retrieve(self, question, k=32, rrf_k=100, id_only=False):
        """rrf_k is the supervisor's to choose: RAG_RRF_K."""
        documents, scores = self.retriever.search(question, k, True)
        if id_only:
            return [{"id": document["id"]} for document in documents], scores
        return [_passage(document) for document in documents], scores


def get_retriever(corpus_name="MedCorp", retriever_name=None, db_dir=None, gpu_id=0, topk=5, wait_s=600.0):
    """Corpus, encoder and GPU are those of the supervisor, which was started with them; here they are only names.

    A retriever_name that is not the supervisor's RAG_RETRIEVER is told on stderr, once.
    """
    return Retriever(topk=topk, wait_s=wait_s, name=retriever_name)


def retrieve(queries, topk=5, return_scores=True):
    return Retriever().retrieve(queries, topk, return_scores)


def _passage(document):
    title, _, content = document["contents"].partition("\n")
    return {"id": document["id"], "title": document.get("title", title.strip('"')), "content": content}


_told = set()


def _warn_of_another(name):
    """A run with another retriever than it names would be reported under the wrong one. Nothing fails because of it."""
    if name is None or name in _told:
        return
    _told.add(name)
    try:
        connection, prefix = _connect(_find())
        if prefix:
            return  # an address with a token in it: only retrieval is allowed there
        status = json.loads(_exchange(connection, "GET", "/status"))
    except (OSError, http.client.HTTPException, RuntimeError, ValueError):
        return
    in_force = status.get("retriever")
    if in_force and _plain(in_force) != _plain(name):
        print(
            "local_medrag_retriever: %s was asked for, the supervisor retrieves by %s (its RAG_RETRIEVER), which is what "
            "you get" % (name, in_force),
            file=sys.stderr,
        )


def _plain(name):
    """`MedCPT` and `RRF-2` are MedRAG's names of `medcpt` and `rrf2`; where a model lies is no part of it."""
    return name if "/" in name.split("=")[0] else name.split("=")[0].lower().replace("-", "")


def _ask(body, wait_s):
    """Waits as long as the answer takes. A supervisor that is gone is looked for again: asking twice does no harm."""
    deadline = time.monotonic() + wait_s
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return _post(_find(), body)
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() + pause_s > deadline:
                raise RuntimeError(
                    "Cannot retrieve: no supervisor of this node answered for %.0f s (%s). "
                    "See: node dist/supervisor.js status" % (wait_s, error)
                )
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        http.client.HTTPConnection.__init__(self, "localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


def _post(address, body):
    """address: the path of a Unix socket, or a URL. No proxy is asked: it would be given the node's own addresses."""
    connection, prefix = _connect(address)
    return json.loads(_exchange(connection, "POST", prefix + "/retrieve", json.dumps(body).encode("utf-8")))


def _connect(address):
    if address.startswith("/"):
        return _UnixConnection(address), ""
    host, _, prefix = address.split("://", 1)[-1].partition("/")
    prefix = prefix.rstrip("/")
    if prefix.split("/")[-1] == "retrieve":
        prefix = prefix[: -len("retrieve")].rstrip("/")
    return http.client.HTTPConnection(host), "/" + prefix if prefix else ""


def _exchange(connection, method, path, body=None):
    try:
        connection.request(method, path, body, _headers())
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError("Cannot retrieve: the supervisor answered %d: %s" % (answer.status, text[:2000]))
    return text


def _headers():
    headers = {"Content-Type": "application/json"}
    token_file = os.environ.get("RAG_TOKEN_FILE")
    if token_file:
        with open(token_file) as file:
            headers["Authorization"] = "Bearer " + file.read().strip()
    return headers


def _find():
    url = os.environ.get("RAG_RETRIEVER_URL") or os.environ.get("RAG_URL")
    if url:
        return url
    state = _state_folder()
    found = _local_socket(os.path.join(state, "supervisors")) or _published(os.path.join(state, "ollama_service.json"))
    if not found:
        raise OSError("no live supervisor of this node in %s" % state)
    return found


def _state_folder():
    shared = os.environ.get("RAG_SHARED_ROOT") or "rag-data"
    return os.path.expanduser(os.environ.get("RAG_RUNTIME_STATE") or os.path.join(shared, "runtime"))


def _local_socket(folder):
    """Of a supervisor on this node: that of our own job before others, then the newest."""
    states = [(path, _read_json(path)) for path in _json_files(folder)]
    live = [
        (str(state.get("job", "")).split("_")[0] == os.environ.get("SLURM_JOB_ID"), _mtime(path), place)
        for path, state in states
        for place in [(state.get("endpoint") or {}).get("socket")]
        if state.get("phase") != "ended" and place and _is_our_socket(place)
    ]
    return max(live)[2] if live else None


def _published(path):
    """`ollama_service.json`. A loopback address means something on its own node only, and there only if it is ours."""
    service = _read_json(path)
    host, port = service.get("host"), service.get("port")
    if not host or not port:
        return None
    is_here = str(service.get("node", "")).split(".")[0] in ("", socket.gethostname().split(".")[0])
    if host in LOOPBACK and not (is_here and _is_our_port(int(port))):
        return None
    return "http://%s:%s" % (host, port)


def _json_files(folder):
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".json")]
    except OSError:
        return []


def _read_json(path):
    try:
        with open(path) as file:
            value = json.load(file)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _mtime(path):
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _is_our_socket(path):
    """Its folder is what protects it: ours, and nobody else may enter."""
    try:
        folder = os.stat(os.path.dirname(path))
        is_private = folder.st_uid == os.getuid() and stat.S_IMODE(folder.st_mode) & 0o077 == 0
        if not (is_private and stat.S_ISSOCK(os.stat(path).st_mode)):
            return False
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            probe.connect(path)  # a killed supervisor leaves the file behind
        finally:
            probe.close()
        return True
    except OSError:
        return False


def _is_our_port(port):
    """Nodes are shared: whoever listens at a port of an old file may be another user."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except OSError:
            continue
        for row in rows:
            if row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port:
                return int(row[7]) == os.getuid()
    return False


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: local_medrag_retriever.py QUERY...")
    print(json.dumps(get_retriever(wait_s=5.0).retrieve(sys.argv[1:], topk=3), ensure_ascii=False, indent=1))
