"""The `openai` package, Responses."""

import json

from openai import OpenAI

from .asked import ADD, QUESTION, RESULT, SYSTEM, City

TOOLS = [{"type": "function", "name": "add", "parameters": ADD, "strict": True}]
USER = [{"role": "user", "content": QUESTION}]


def connect(url, key):
    return OpenAI(base_url=f"{url}/v1", api_key=key)


def told(error):
    return {"status": error.status_code, "code": error.code}


def plain(client, model):
    answer = client.responses.create(model=model("words-3"), instructions=SYSTEM, input=QUESTION)
    return {"text": answer.output_text, "output_tokens": answer.usage.output_tokens}


def stream(client, model):
    text, usage = "", None
    for event in client.responses.create(model=model("words-3"), instructions=SYSTEM, input=USER, stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type == "response.completed":
            usage = event.response.usage
    return {"text": text, "output_tokens": usage.output_tokens}


def loop(respond):
    first = respond(USER)
    [call] = [item for item in first.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": RESULT}
    second = respond([*USER, *first.output, result])
    return {"arguments": json.loads(call.arguments), "text": second.output_text}


def tools(client, model):
    return loop(lambda items: client.responses.create(model=model("tools"), input=items, tools=TOOLS))


def streamed_tools(client, model):
    def respond(items):
        with client.responses.stream(model=model("tools"), input=items, tools=TOOLS) as events:
            return events.get_final_response()

    return loop(respond)


def structured(client, model):
    answer = client.responses.parse(model=model("friendly"), input=USER, text_format=City)
    return answer.output_parsed.model_dump()


def streamed_structured(client, model):
    with client.responses.stream(model=model("friendly"), input=USER, text_format=City) as events:
        return events.get_final_response().output_parsed.model_dump()
