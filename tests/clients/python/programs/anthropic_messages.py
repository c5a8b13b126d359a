"""The `anthropic` package."""

from anthropic import Anthropic

from .asked import ADD, QUESTION, RESULT, SYSTEM, City

USER = [{"role": "user", "content": QUESTION}]
ASK = {"max_tokens": 2000, "system": SYSTEM}
TOOLS = [{"name": "add", "input_schema": ADD}]


def connect(url, key):
    return Anthropic(base_url=url, api_key=key)


def told(error):
    return {"status": error.status_code, "code": error.body["error"]["type"]}


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def plain(client, model):
    answer = client.messages.create(model=model("words-3"), messages=USER, **ASK)
    return {"text": text_of(answer), "output_tokens": answer.usage.output_tokens}


def stream(client, model):
    with client.messages.stream(model=model("words-3"), messages=USER, **ASK) as events:
        text = "".join(events.text_stream)
        return {"text": text, "output_tokens": events.get_final_message().usage.output_tokens}


def loop(complete):
    first = complete(USER)
    [call] = [block for block in first.content if block.type == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": RESULT}
    said = {"role": "assistant", "content": first.content}
    second = complete([*USER, said, {"role": "user", "content": [result]}])
    return {"arguments": call.input, "text": text_of(second)}


def tools(client, model):
    return loop(lambda messages: client.messages.create(model=model("tools"), messages=messages, tools=TOOLS, **ASK))


def streamed_tools(client, model):
    def complete(messages):
        with client.messages.stream(model=model("tools"), messages=messages, tools=TOOLS, **ASK) as events:
            return events.get_final_message()

    return loop(complete)


def structured(client, model):
    answer = client.messages.parse(model=model("friendly"), messages=USER, output_format=City, **ASK)
    return answer.parsed_output.model_dump()


def streamed_structured(client, model):
    with client.messages.stream(model=model("friendly"), messages=USER, output_format=City, **ASK) as events:
        return events.get_final_message().parsed_output.model_dump()
