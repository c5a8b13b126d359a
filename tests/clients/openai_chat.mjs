// What people do with the openai package, Chat Completions.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { City, add, question, result, system } from "./asked.mjs";

export function connect(url, options) {
  return new OpenAI({ baseURL: `${url}/v1`, ...options });
}

export function told({ status, code }) {
  return { status, code };
}

const messages = [{ role: "system", content: system }, { role: "user", content: question }];
const tools = [{ type: "function", function: { name: "add", parameters: add, strict: true } }];
const response_format = zodResponseFormat(City, "city");

async function loop(complete) {
  const first = await complete(messages);
  const [call] = first.tool_calls;
  const second = await complete([...messages, first, { role: "tool", tool_call_id: call.id, content: result }]);
  return { arguments: JSON.parse(call.function.arguments), text: second.content };
}

export const asks = {
  async plain({ client, model }) {
    const answer = await client.chat.completions.create({ model: model("words-3"), messages });
    return { text: answer.choices[0].message.content, output_tokens: answer.usage.completion_tokens };
  },

  async stream({ client, model }) {
    const stream = await client.chat.completions.create({
      model: model("words-3"), messages, stream: true, stream_options: { include_usage: true },
    });
    let text = "";
    let usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    return { text, output_tokens: usage.completion_tokens };
  },

  async tools({ client, model }) {
    return loop(async (messages) => {
      const answer = await client.chat.completions.create({ model: model("tools"), messages, tools });
      return answer.choices[0].message;
    });
  },

  async streamed_tools({ client, model }) {
    return loop((messages) => client.chat.completions.stream({ model: model("tools"), messages, tools }).finalMessage());
  },

  async structured({ client, model }) {
    const answer = await client.chat.completions.parse({ model: model("friendly"), messages, response_format });
    return answer.choices[0].message.parsed;
  },

  async streamed_structured({ client, model }) {
    const answer = await client.chat.completions.stream({ model: model("friendly"), messages, response_format }).finalMessage();
    return answer.parsed;
  },
};

export const checks = {
  async "an answer tells the request's id"({ client, model }) {
    const answer = await client.chat.completions.create({ model: model("words-1"), messages });
    assert.match(answer._request_id, /^req_/);
  },

  async "models"({ client }) {
    const names = [];
    for await (const { id } of client.models.list()) names.push(id);
    assert.ok(names.includes("openai:gpt-5.4-mini") && names.includes("fast"), names.join(", "));
  },

  async "a refusal is of the SDK's kinds, and tells the request's id"({ as, model }) {
    const call = as("sk-sb-wrong").chat.completions.create({ model: model("words-1"), messages });
    await assert.rejects(call, (error) => error instanceof OpenAI.AuthenticationError && /^req_/.test(error.requestID));
  },

  async "a model that is not allowed is a PermissionDeniedError"({ as, model }) {
    const call = as("narrow").chat.completions.create({ model: model("words-1"), messages });
    await assert.rejects(call, (error) => error instanceof OpenAI.PermissionDeniedError && error.code === "model_not_allowed");
  },

  async "a model that does not exist is a NotFoundError"({ client }) {
    const call = client.chat.completions.create({ model: "nobody:nothing", messages });
    await assert.rejects(call, (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
  },

  async "a broken request is a BadRequestError that names the parameter"({ client, model }) {
    const call = client.chat.completions.create({ model: model("words-1"), messages, max_completion_tokens: -1 });
    await assert.rejects(call, (error) => error instanceof OpenAI.BadRequestError && error.param === "max_completion_tokens");
  },

  async "a rate limit is waited for and tried again"({ client, calls, model }) {
    const answer = await client.chat.completions.create({ model: model("sdk-later"), messages });
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(calls.calls, 2);
  },

  async "a rate limit without end is a RateLimitError"({ as, model }) {
    const call = as("good", { maxRetries: 0 }).chat.completions.create({ model: model("429"), messages });
    await assert.rejects(call, (error) => error instanceof OpenAI.RateLimitError && error.headers.get("retry-after") === "1");
  },

  async "a failing provider is an InternalServerError of 502"({ as, model }) {
    const call = as("good", { maxRetries: 0 }).chat.completions.create({ model: model("500"), messages });
    await assert.rejects(call, (error) => error instanceof OpenAI.InternalServerError && error.status === 502);
  },

  async "an error in the middle of a stream raises"({ client, model }) {
    for (const script of ["error-mid", "cut"]) {
      const stream = await client.chat.completions.create({ model: model(script), messages, stream: true });
      let text = "";
      const reading = (async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      })();
      await assert.rejects(reading, OpenAI.APIError, script);
      assert.match(text, /^This/);
    }
  },

  async "a stream can be left"({ client, model }) {
    const stream = await client.chat.completions.create({ model: model("pace-20"), messages, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    assert.ok(stream.controller.signal.aborted);
  },
};
