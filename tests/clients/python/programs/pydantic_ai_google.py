"""pydantic-ai with Google's generateContent."""

from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider

from .pydantic_ai import *  # noqa: F403


def connect(url, key):
    provider = GoogleProvider(api_key=key, base_url=url)
    return lambda model: GoogleModel(model, provider=provider)


def told(error):
    return {"status": error.code, "code": error.status}
