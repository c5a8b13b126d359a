"""instructor over the `anthropic` package: structured output is all it does."""

import instructor
from anthropic import Anthropic

from .asked import MESSAGES, City


def connect(url, key):
    return instructor.from_anthropic(Anthropic(base_url=url, api_key=key))


def told(error):
    return {"status": error.status_code, "code": error.body["error"]["type"]}


def structured(client, model):
    create = client.messages.create
    return create(model=model("friendly"), max_tokens=2000, messages=MESSAGES, response_model=City).model_dump()


def streamed_structured(client, model):
    create = client.messages.create_partial
    return list(create(model=model("friendly"), max_tokens=2000, messages=MESSAGES, response_model=City))[-1].model_dump()
