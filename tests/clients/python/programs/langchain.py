"""What every chat model of LangChain is asked; a program connects one."""

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from .asked import QUESTION, RESULT, SYSTEM, City

MESSAGES = [SystemMessage(SYSTEM), HumanMessage(QUESTION)]


@tool
def add(a: int) -> str:
    """Adds."""
    return RESULT


def whole(chunks):
    first, *others = chunks
    for chunk in others:
        first += chunk
    return first


def plain(client, model):
    answer = client(model("words-3")).invoke(MESSAGES)
    return {"text": answer.text, "output_tokens": answer.usage_metadata["output_tokens"]}


def stream(client, model):
    answer = whole(client(model("words-3")).stream(MESSAGES))
    return {"text": answer.text, "output_tokens": answer.usage_metadata["output_tokens"]}


def loop(complete):
    first = complete(MESSAGES)
    [call] = first.tool_calls
    second = complete([*MESSAGES, first, ToolMessage(add.invoke(call["args"]), tool_call_id=call["id"])])
    return {"arguments": call["args"], "text": second.text}


def tools(client, model):
    return loop(client(model("tools")).bind_tools([add]).invoke)


def streamed_tools(client, model):
    bound = client(model("tools")).bind_tools([add])
    return loop(lambda messages: whole(bound.stream(messages)))


def structured(client, model):
    return client(model("friendly")).with_structured_output(City).invoke(MESSAGES).model_dump()


def streamed_structured(client, model):
    answers = client(model("friendly")).with_structured_output(City, method="json_schema").stream(MESSAGES)
    return list(answers)[-1].model_dump()
