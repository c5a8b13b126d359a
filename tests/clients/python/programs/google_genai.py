"""The `google-genai` package."""

from google import genai
from google.genai import types

from .asked import ADD, QUESTION, RESULT, SYSTEM, City

ADD_TOOL = types.Tool(function_declarations=[{"name": "add", "parameters_json_schema": ADD}])
JSON = {"response_mime_type": "application/json", "response_schema": City}


def connect(url, key):
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))


def told(error):
    return {"status": error.code, "code": error.status}


def plain(client, model):
    config = types.GenerateContentConfig(system_instruction=SYSTEM)
    answer = client.models.generate_content(model=model("words-3"), contents=QUESTION, config=config)
    return {"text": answer.text, "output_tokens": answer.usage_metadata.candidates_token_count}


def stream(client, model):
    text, usage = "", None
    for chunk in client.models.generate_content_stream(model=model("words-3"), contents=QUESTION):
        text += chunk.text or ""
        usage = chunk.usage_metadata or usage
    return {"text": text, "output_tokens": usage.candidates_token_count}


def loop(complete):
    user = types.Content(role="user", parts=[types.Part(text=QUESTION)])
    first = complete([user])
    [call] = [part.function_call for part in first.parts if part.function_call]
    answered = types.FunctionResponse(id=call.id, name=call.name, response={"output": RESULT})
    second = complete([user, first, types.Content(role="user", parts=[types.Part(function_response=answered)])])
    return {"arguments": call.args, "text": "".join(part.text or "" for part in second.parts)}


def tools(client, model):
    def complete(contents):
        config = types.GenerateContentConfig(tools=[ADD_TOOL])
        answer = client.models.generate_content(model=model("tools"), contents=contents, config=config)
        return answer.candidates[0].content

    return loop(complete)


def streamed_tools(client, model):
    def complete(contents):
        config, parts = types.GenerateContentConfig(tools=[ADD_TOOL]), []
        for chunk in client.models.generate_content_stream(model=model("tools"), contents=contents, config=config):
            for candidate in chunk.candidates or []:
                parts += (candidate.content and candidate.content.parts) or []
        return types.Content(role="model", parts=parts)

    return loop(complete)


def structured(client, model):
    answer = client.models.generate_content(model=model("friendly"), contents=QUESTION, config=JSON)
    return answer.parsed.model_dump()


def streamed_structured(client, model):
    chunks = client.models.generate_content_stream(model=model("friendly"), contents=QUESTION, config=JSON)
    return City.model_validate_json("".join(chunk.text or "" for chunk in chunks)).model_dump()
