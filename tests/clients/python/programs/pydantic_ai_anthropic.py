"""pydantic-ai with Anthropic's Messages."""

from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from .pydantic_ai import *  # noqa: F403


def connect(url, key):
    provider = AnthropicProvider(base_url=url, api_key=key)
    return lambda model: AnthropicModel(model, provider=provider)


def told(error):
    return {"status": error.status_code, "code": error.body["error"]["type"]}
