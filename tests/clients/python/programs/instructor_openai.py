"""instructor over the `openai` package: structured output is all it does."""

import instructor
from openai import OpenAI

from .asked import MESSAGES, City


def connect(url, key):
    return lambda mode: instructor.from_openai(OpenAI(base_url=f"{url}/v1", api_key=key), mode=mode)


def told(error):
    return {"status": error.status_code, "code": error.code}


def structured(client, model):
    """By a tool that must be called."""
    create = client(instructor.Mode.TOOLS).chat.completions.create
    return create(model=model("friendly"), messages=MESSAGES, response_model=City).model_dump()


def streamed_structured(client, model):
    """By the provider's own structured output, growing."""
    create = client(instructor.Mode.JSON_SCHEMA).chat.completions.create_partial
    return list(create(model=model("friendly"), messages=MESSAGES, response_model=City))[-1].model_dump()
