"""pydantic-ai with OpenAI's Responses."""

from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from .pydantic_ai import *  # noqa: F403


def connect(url, key):
    provider = OpenAIProvider(base_url=f"{url}/v1", api_key=key)
    return lambda model: OpenAIResponsesModel(model, provider=provider)


def told(error):
    return {"status": error.status_code, "code": error.code}
