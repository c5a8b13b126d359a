// What people do with the openai package.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { counting } from "./counting.mjs";

export function connect(baseURL, keys) {
  const calls = counting();
  const client = (options = {}) => new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: keys.good, fetch: calls, ...options });
  return { client: client(), calls, as: (key, options) => client({ apiKey: keys[key] ?? key, ...options }) };
}

const question = [{ role: "system", content: "Be kind." }, { role: "user", content: "Hello?" }];
const tools = [{
  type: "function",
  function: { name: "add", parameters: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } },
}];

export const checks = {
  async "a chat"({ client, model }) {
    const answer = await client.chat.completions.create({ model: model("words-3"), messages: question });
    assert.equal(answer.choices[0].message.content, "word1 word2 word3");
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.match(answer._request_id, /^req_/);
  },

  async "a stream"({ client, model }) {
    const stream = await client.chat.completions.create({
      model: model("words-3"), messages: question, stream: true, stream_options: { include_usage: true },
    });
    let text = "";
    let usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, "word1 word2 word3");
    assert.equal(usage.completion_tokens, 3);
  },

  async "the stream helper"({ client, model }) {
    const answer = await client.chat.completions.stream({ model: model("words-3"), messages: question }).finalChatCompletion();
    assert.equal(answer.choices[0].message.content, "word1 word2 word3");
  },

  async "a loop of tools"({ client, model }) {
    const messages = [...question];
    const first = await client.chat.completions.create({ model: model("tools"), messages, tools });
    const [call] = first.choices[0].message.tool_calls;
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    assert.equal(call.function.name, "add");
    assert.equal(typeof JSON.parse(call.function.arguments).a, "number");
    messages.push(first.choices[0].message, { role: "tool", tool_call_id: call.id, content: "3" });
    const second = await client.chat.completions.create({ model: model("friendly"), messages, tools });
    assert.equal(second.choices[0].message.content, "The tool answered: 3");
  },

  async "streamed tool calls"({ client, model }) {
    const answer = await client.chat.completions.stream({ model: model("tools"), messages: question, tools }).finalChatCompletion();
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(typeof JSON.parse(call.function.arguments).a, "number");
  },

  async "structured output"({ client, model }) {
    const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"], additionalProperties: false };
    const answer = await client.chat.completions.parse({
      model: model("friendly"), messages: question,
      response_format: { type: "json_schema", json_schema: { name: "city", strict: true, schema } },
    });
    assert.equal(typeof JSON.parse(answer.choices[0].message.content).name, "string");
  },

  async "models"({ client }) {
    const names = [];
    for await (const { id } of client.models.list()) names.push(id);
    assert.ok(names.includes("openai:gpt-5.4-mini") && names.includes("fast"), names.join(", "));
  },

  async "a wrong key is an AuthenticationError"({ as, model }) {
    const call = as("sk-sb-wrong").chat.completions.create({ model: model("words-1"), messages: question });
    await assert.rejects(call, (error) => error instanceof OpenAI.AuthenticationError && error.code === "invalid_api_key" && /^req_/.test(error.requestID));
  },

  async "a spent budget is 402 and is not tried again"({ as, calls, model }) {
    const call = as("broke").chat.completions.create({ model: model("words-1"), messages: question });
    await assert.rejects(call, (error) => error instanceof OpenAI.APIError && error.status === 402 && error.code === "insufficient_quota");
    assert.equal(calls.calls, 1);
  },

  async "a model that is not allowed is a PermissionDeniedError"({ as, model }) {
    const call = as("narrow").chat.completions.create({ model: model("words-1"), messages: question });
    await assert.rejects(call, (error) => error instanceof OpenAI.PermissionDeniedError && error.code === "model_not_allowed");
  },

  async "a model that does not exist is a NotFoundError"({ client }) {
    const call = client.chat.completions.create({ model: "nobody:nothing", messages: question });
    await assert.rejects(call, (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
  },

  async "a broken request is a BadRequestError that names the parameter"({ client, model }) {
    const call = client.chat.completions.create({ model: model("words-1"), messages: question, max_completion_tokens: -1 });
    await assert.rejects(call, (error) => error instanceof OpenAI.BadRequestError && error.param === "max_completion_tokens");
  },

  async "a rate limit is waited for and tried again"({ client, calls, model }) {
    const answer = await client.chat.completions.create({ model: model("sdk-later"), messages: question });
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(calls.calls, 2);
  },

  async "a rate limit without end is a RateLimitError"({ as, model }) {
    const call = as("good", { maxRetries: 0 }).chat.completions.create({ model: model("429"), messages: question });
    await assert.rejects(call, (error) => error instanceof OpenAI.RateLimitError && error.headers.get("retry-after") === "1");
  },

  async "a failing provider is an InternalServerError of 502"({ as, model }) {
    const call = as("good", { maxRetries: 0 }).chat.completions.create({ model: model("500"), messages: question });
    await assert.rejects(call, (error) => error instanceof OpenAI.InternalServerError && error.status === 502);
  },

  async "an error in the middle of a stream raises"({ client, model }) {
    for (const script of ["error-mid", "cut"]) {
      const stream = await client.chat.completions.create({ model: model(script), messages: question, stream: true });
      let text = "";
      const reading = (async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      })();
      await assert.rejects(reading, OpenAI.APIError, script);
      assert.match(text, /^This/);
    }
  },

  async "a stream can be left"({ client, model }) {
    const stream = await client.chat.completions.create({ model: model("pace-20"), messages: question, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    assert.ok(stream.controller.signal.aborted);
  },
};
