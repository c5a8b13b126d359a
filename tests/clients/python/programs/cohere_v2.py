"""The `cohere` package: rerank by the gateway's own endpoint, chats by its pass-through. Only Cohere speaks Cohere's chat,
so whichever provider the others ask, here it is Cohere."""

import json

import cohere

from .asked import ADD, MESSAGES, RESULT, City

TOOLS = [{"type": "function", "function": {"name": "add", "parameters": ADD}}]
JSON = {"type": "json_object", "schema": City.model_json_schema()}


def connect(url, key):
    return lambda path: cohere.ClientV2(api_key=key, base_url=f"{url}{path}")


def told(error):
    return {"status": error.status_code, "code": error.body["error"]["code"]}


def ask(client, script, **members):
    return client("/passthrough/cohere").chat(model=f"command-a-03-2025~cohere-{script}", **members)


def streamed(client, script, **members):
    """The text, the calls and the usage of a stream."""
    text, calls, usage = "", [], None
    for event in client("/passthrough/cohere").chat_stream(model=f"command-a-03-2025~cohere-{script}", **members):
        if event.type == "content-delta":
            text += event.delta.message.content.text
        elif event.type == "tool-call-start":
            calls.append(event.delta.message.tool_calls)
        elif event.type == "tool-call-delta":
            calls[-1].function.arguments += event.delta.message.tool_calls.function.arguments
        elif event.type == "message-end":
            usage = event.delta.usage
    return text, calls, usage


# The SDK has counts as floats.
def plain(client, model):
    answer = ask(client, "words", messages=MESSAGES)
    return {"text": answer.message.content[0].text, "output_tokens": int(answer.usage.tokens.output_tokens)}


def stream(client, model):
    text, _, usage = streamed(client, "stream", messages=MESSAGES)
    return {"text": text, "output_tokens": int(usage.tokens.output_tokens)}


def loop(complete):
    _, [call] = complete(MESSAGES)
    said = {"role": "assistant", "tool_calls": [call.model_dump()]}
    text, _ = complete([*MESSAGES, said, {"role": "tool", "tool_call_id": call.id, "content": RESULT}])
    return {"arguments": json.loads(call.function.arguments), "text": text}


def tools(client, model):
    def complete(messages):
        message = ask(client, "tools", messages=messages, tools=TOOLS).message
        return message.content and message.content[0].text, message.tool_calls

    return loop(complete)


def streamed_tools(client, model):
    return loop(lambda messages: streamed(client, "streamed-tools", messages=messages, tools=TOOLS)[:2])


def structured(client, model):
    answer = ask(client, "city", messages=MESSAGES, response_format=JSON)
    return City.model_validate_json(answer.message.content[0].text).model_dump()


def streamed_structured(client, model):
    text, _, _ = streamed(client, "streamed-city", messages=MESSAGES, response_format=JSON)
    return City.model_validate_json(text).model_dump()


def rerank(client, model):
    answer = client("").rerank(model="cohere:rerank-v3.5~ranked", query="Hello?", documents=["Rain.", "Hi!"], top_n=2)
    return [result.index for result in answer.results]
