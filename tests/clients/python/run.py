"""A Python SDK as a caller of the gateway: `python run.py PROGRAM`, a module of `programs`.

BASE_URL, and the keys KEY and BROKE_KEY (its budget is spent). Each of the program's functions named in ASKS runs against
every provider, and prints one line of JSON: `check`, `provider`, and what it `said` or how it `failed`. A program has
`connect(url, key)`, the asks `ask(client, model)`, and `told(error)`: the status
and code of a refusal, from the SDK's own error.
"""

import importlib
import json
import os
import sys
import traceback

ASKS = ("plain", "stream", "tools", "streamed_tools", "structured", "streamed_structured", "rerank")
# What the simulator answers is named after the `~`.
PROVIDERS = {"openai": "openai:gpt-5.4-mini", "anthropic": "anthropic:claude-haiku-4-5", "gemini": "gemini:gemini-2.5-flash"}
URL = os.environ["BASE_URL"]


def refused(program, key, model):
    """What a call with this key raises, and what the SDK below, whose error came first, tells about it."""
    ask = next(getattr(program, name) for name in ASKS if hasattr(program, name))
    try:
        answer = ask(program.connect(URL, key), model)
    except Exception as error:
        first = error
        while first.__cause__:
            first = first.__cause__
        return {"error": type(error).__name__, **program.told(first)}
    return {"error": None, "answer": answer}


def main(program):
    for provider, name in PROVIDERS.items():

        def model(script):
            return f"{name}~{script}"

        def asked(ask):
            return getattr(program, ask)(program.connect(URL, os.environ["KEY"]), model)

        checks = {ask: lambda ask=ask: asked(ask) for ask in ASKS if hasattr(program, ask)}
        checks["wrong_key"] = lambda: refused(program, "sk-sb-wrong", model)
        checks["spent_budget"] = lambda: refused(program, os.environ["BROKE_KEY"], model)
        for check, run in checks.items():
            line = {"check": check, "provider": provider}
            try:
                line["said"] = run()
            except Exception as error:
                line["failed"] = "".join(traceback.format_exception(error, limit=-3, chain=False))
            print(json.dumps(line), flush=True)


main(importlib.import_module(f"programs.{sys.argv[1]}"))
