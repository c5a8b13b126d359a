"""LangChain with `langchain-anthropic`."""

from langchain_anthropic import ChatAnthropic

from .langchain import *  # noqa: F403


def connect(url, key):
    return lambda model: ChatAnthropic(model=model, base_url=url, api_key=key, max_tokens=2000)


def told(error):
    return {"status": error.status_code, "code": error.body["error"]["type"]}
