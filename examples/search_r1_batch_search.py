"""Search-R1 with the retriever of its own job: the change to search_r1/llm_agent/generation.py.

Without any change Search-R1 works over HTTP: `retriever.url=$RAG_URL/retrieve`. With this one it needs neither URL
nor port: it asks the supervisor of its own node, also on several nodes, and a supervisor that is started again in the
middle of a run is waited for.

1. In class LLMGenerationManager put `_batch_search` below in the place of the method of that name.
2. Give the dataclass GenerationConfig these fields, and fill them from `config.retriever` where it is made
   (`retriever.get("local", False)` and so on):

       local: bool = False
       gpu_id: int = 0
       corpus_name: str = "MedCorp"
       retriever_name: str = "MedCPT"
       db_dir: str = None
       url: str = None

3. Put the folder of local_medrag_retriever.py on PYTHONPATH and train with

       retriever.topk=5 +retriever.local=true +retriever.gpu_id=3 \
       +retriever.corpus_name=MedCorp +retriever.retriever_name=MedCPT
"""


def _batch_search(self, queries):
    config = self.config
    if getattr(config, "local", False):
        if getattr(self, "_retriever", None) is None:
            from local_medrag_retriever import get_retriever

            self._retriever = get_retriever(
                corpus_name=getattr(config, "corpus_name", "MedCorp"),
                retriever_name=getattr(config, "retriever_name", "MedCPT"),
                db_dir=getattr(config, "db_dir", None),
                gpu_id=getattr(config, "gpu_id", 0),
            )
        return self._retriever.retrieve(queries=queries, topk=config.topk, return_scores=True)

    import requests

    url = getattr(config, "url", None) or config.search_url
    body = {"queries": queries, "topk": config.topk, "return_scores": True}
    return requests.post(url, json=body).json()
