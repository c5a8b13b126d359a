"""What every model of pydantic-ai is asked; a program connects one."""

from pydantic_ai import Agent

from .asked import QUESTION, RESULT, SYSTEM, City


def plain(client, model):
    run = Agent(client(model("words-3")), instructions=SYSTEM).run_sync(QUESTION)
    return {"text": run.output, "output_tokens": run.usage.output_tokens}


def stream(client, model):
    run = Agent(client(model("words-3")), instructions=SYSTEM).run_stream_sync(QUESTION)
    text = "".join(run.stream_text(delta=True))
    return {"text": text, "output_tokens": run.usage.output_tokens}


def with_a_tool(model):
    """An agent, and what it called its tool with."""
    agent, called = Agent(model, instructions=SYSTEM), []

    @agent.tool_plain
    def add(a: int) -> str:
        called.append({"a": a})
        return RESULT

    return agent, called


def tools(client, model):
    agent, called = with_a_tool(client(model("tools")))
    text = agent.run_sync(QUESTION).output
    [arguments] = called
    return {"arguments": arguments, "text": text}


def streamed_tools(client, model):
    agent, called = with_a_tool(client(model("tools")))
    text = "".join(agent.run_stream_sync(QUESTION).stream_text(delta=True))
    [arguments] = called
    return {"arguments": arguments, "text": text}


# By a tool that must be called.
def structured(client, model):
    return Agent(client(model("friendly")), output_type=City).run_sync(QUESTION).output.model_dump()


def streamed_structured(client, model):
    run = Agent(client(model("friendly")), output_type=City).run_stream_sync(QUESTION)
    return run.get_output().model_dump()
