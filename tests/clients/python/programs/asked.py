"""What every program asks, so that every program is told the same."""

from pydantic import BaseModel

SYSTEM = "Be kind."
QUESTION = "Hello?"
MESSAGES = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
# The only tool, `add`: the simulator calls it with the smallest arguments there are, and is answered RESULT.
ADD = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
RESULT = "3"


class City(BaseModel):
    """What structured output must be."""

    name: str
