"""The shapes that callers of the retriever's relatives rely on, as lines of JSON."""
import json
import os
import pickle
import sys

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.join(top, "scripts"))

from local_medrag_retriever import RetrievalSystem, get_retriever, retrieve  # noqa: E402


def show(*values):
    print(json.dumps(values))


retriever = pickle.loads(pickle.dumps(get_retriever(gpu_id=0, db_dir="/nowhere")))

both = retriever.retrieve(["a", "b"], topk=1)
show(both, list(both), len(both), both[0] == both["result"][0], [hit["score"] for hits in both for hit in hits])
show(retriever.retrieve([]), retrieve(["a"], topk=1, return_scores=False)["result"][0][0]["id"])

many = ["query %d" % number for number in range(5000)]
show([hits[0]["document"]["id"] for hits in retriever.retrieve(many, topk=1)] == ["%s.pdf" % query for query in many])

show(*RetrievalSystem("MedCPT", "MedCorp", db_dir="/nowhere").retrieve("a", k=2))
show(RetrievalSystem().retrieve("a", k=2, id_only=True)[0])

found, scores = retriever.batch_search(["a", "b"], num=1, return_score=True)
title, text = found[0][0]["contents"].split("\n", 1)
show(title, text, scores, len(retriever.search("a", num=2)), len(retriever.search(["a", "b"])))
