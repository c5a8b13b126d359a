"""LangChain with `langchain-openai`, Responses."""

from langchain_openai import ChatOpenAI

from .langchain import *  # noqa: F403


def connect(url, key):
    return lambda model: ChatOpenAI(model=model, base_url=f"{url}/v1", api_key=key, use_responses_api=True)


def told(error):
    return {"status": error.status_code, "code": error.code}
