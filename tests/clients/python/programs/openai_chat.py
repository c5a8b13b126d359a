"""The `openai` package, Chat Completions."""

import json

from openai import OpenAI

from .asked import ADD, MESSAGES, RESULT, City

TOOLS = [{"type": "function", "function": {"name": "add", "parameters": ADD, "strict": True}}]


def connect(url, key):
    return OpenAI(base_url=f"{url}/v1", api_key=key)


def told(error):
    return {"status": error.status_code, "code": error.code}


def plain(client, model):
    answer = client.chat.completions.create(model=model("words-3"), messages=MESSAGES)
    return {"text": answer.choices[0].message.content, "output_tokens": answer.usage.completion_tokens}


def stream(client, model):
    text, usage = "", None
    for chunk in client.chat.completions.create(
        model=model("words-3"), messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    return {"text": text, "output_tokens": usage.completion_tokens}


def loop(complete):
    first = complete(MESSAGES)
    [call] = first.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": RESULT}
    second = complete([*MESSAGES, first.to_dict(), result])
    return {"arguments": json.loads(call.function.arguments), "text": second.content}


def tools(client, model):
    def complete(messages):
        answer = client.chat.completions.create(model=model("tools"), messages=messages, tools=TOOLS)
        return answer.choices[0].message

    return loop(complete)


def streamed_tools(client, model):
    def complete(messages):
        with client.chat.completions.stream(model=model("tools"), messages=messages, tools=TOOLS) as events:
            return events.get_final_completion().choices[0].message

    return loop(complete)


def structured(client, model):
    answer = client.chat.completions.parse(model=model("friendly"), messages=MESSAGES, response_format=City)
    return answer.choices[0].message.parsed.model_dump()


def streamed_structured(client, model):
    with client.chat.completions.stream(model=model("friendly"), messages=MESSAGES, response_format=City) as events:
        return events.get_final_completion().choices[0].message.parsed.model_dump()
