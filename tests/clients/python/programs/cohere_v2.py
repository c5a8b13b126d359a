"""The `cohere` package: of Cohere's own API the gateway serves rerank."""

import cohere


def connect(url, key):
    return cohere.ClientV2(api_key=key, base_url=url)


def told(error):
    return {"status": error.status_code, "code": error.body["error"]["code"]}


def rerank(client, model):
    """Whichever provider the others ask: only Cohere's model ranks."""
    answer = client.rerank(model="cohere:rerank-v3.5~ranked", query="Hello?", documents=["Rain.", "Hi!"], top_n=2)
    return [result.index for result in answer.results]
