"""What Search-R1's rollout does with our answer: `batch_search`, one passage text for each query.

usage: search_r1.py local|http URL QUERY...
"""
import json
import os
import sys
import types
import urllib.request

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path[:0] = [os.path.join(top, "scripts"), os.path.join(top, "examples")]


class Answer(object):
    def __init__(self, text):
        self.text = text

    def json(self):
        return json.loads(self.text)


def post(url, json):
    """As `requests`: whatever the status, the body is the answer."""
    encoded = __import__("json").dumps(json).encode("utf-8")
    request = urllib.request.Request(url, encoded, {"Content-Type": "application/json"})
    try:
        return Answer(urllib.request.urlopen(request).read().decode("utf-8"))
    except urllib.error.HTTPError as error:
        return Answer(error.read().decode("utf-8"))


requests = types.ModuleType("requests")
requests.post = post
sys.modules["requests"] = requests

from search_r1_batch_search import _batch_search as batch_search_of_the_change  # noqa: E402


class Rollout(object):
    _batch_search = batch_search_of_the_change

    def __init__(self, local, url):
        self.config = types.SimpleNamespace(local=local, search_url=url, topk=2, gpu_id=3)

    def batch_search(self, queries):
        return [self.passages_to_text(hits) for hits in self._batch_search(queries)["result"]]

    def passages_to_text(self, hits):
        text = ""
        for number, hit in enumerate(hits, 1):
            title, *lines = hit["document"]["contents"].split("\n")
            text += "Doc %d(Title: %s) %s\n" % (number, title, "\n".join(lines))
        return text

    def observations(self, queries):
        """One for each query that a rollout has emitted; the original asserts that the numbers are equal."""
        found = self.batch_search(queries)
        assert len(found) == len(queries)
        return ["\n\n<information>%s</information>\n\n" % text.strip() for text in found]


if __name__ == "__main__":
    print(json.dumps(Rollout(sys.argv[1] == "local", sys.argv[2]).observations(sys.argv[3:])))
