// What people do with the @anthropic-ai/sdk package.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { counting } from "./counting.mjs";

export function connect(baseURL, keys) {
  const calls = counting();
  const client = (options = {}) => new Anthropic({ baseURL, apiKey: keys.good, fetch: calls, ...options });
  return { client: client(), calls, as: (key, options) => client({ apiKey: keys[key] ?? key, ...options }) };
}

const question = { max_tokens: 2000, system: "Be kind.", messages: [{ role: "user", content: "Hello?" }] };
const tools = [{ name: "add", input_schema: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } }];

export const checks = {
  async "a message"({ client, model }) {
    const answer = await client.messages.create({ model: model("words-3"), ...question });
    assert.deepEqual(answer.content.map(({ type, text }) => [type, text]), [["text", "word1 word2 word3"]]);
    assert.equal(answer.stop_reason, "end_turn");
    assert.equal(answer.usage.output_tokens, 3);
    assert.match(answer._request_id, /^req_/);
  },

  async "a stream"({ client, model }) {
    const stream = await client.messages.create({ model: model("words-3"), ...question, stream: true });
    let text = "";
    const types = new Set();
    for await (const event of stream) {
      types.add(event.type);
      if (event.type === "content_block_delta") text += event.delta.text;
    }
    assert.equal(text, "word1 word2 word3");
    assert.ok(types.has("message_start") && types.has("message_stop"));
  },

  async "the stream helper"({ client, model }) {
    const answer = await client.messages.stream({ model: model("words-3"), ...question }).finalMessage();
    assert.equal(answer.content[0].text, "word1 word2 word3");
    assert.equal(answer.usage.output_tokens, 3);
  },

  async "a loop of tools"({ client, model }) {
    const first = await client.messages.create({ model: model("tools"), ...question, tools });
    const call = first.content.find(({ type }) => type === "tool_use");
    assert.equal(first.stop_reason, "tool_use");
    assert.equal(typeof call.input.a, "number");
    const messages = [
      ...question.messages,
      { role: "assistant", content: first.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "3" }] },
    ];
    const second = await client.messages.create({ model: model("friendly"), ...question, messages, tools });
    assert.equal(second.content[0].text, "The tool answered: 3");
  },

  async "streamed tool calls"({ client, model }) {
    const answer = await client.messages.stream({ model: model("tools"), ...question, tools }).finalMessage();
    assert.equal(typeof answer.content.find(({ type }) => type === "tool_use").input.a, "number");
  },

  async "structured output"({ client, model }) {
    const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"], additionalProperties: false };
    const answer = await client.messages.create({ model: model("friendly"), ...question, output_config: { format: { type: "json_schema", schema } } });
    assert.equal(typeof JSON.parse(answer.content[0].text).name, "string");
  },

  async "models"({ client }) {
    const names = [];
    for await (const { id } of client.models.list()) names.push(id);
    assert.ok(names.includes("anthropic:claude-haiku-4-5") && names.includes("fast"), names.join(", "));
  },

  async "a wrong key is an AuthenticationError"({ as, model }) {
    const call = as("sk-sb-wrong").messages.create({ model: model("words-1"), ...question });
    await assert.rejects(call, (error) => error instanceof Anthropic.AuthenticationError && /^req_/.test(error.requestID));
  },

  async "a spent budget is 402 and is not tried again"({ as, calls, model }) {
    const call = as("broke").messages.create({ model: model("words-1"), ...question });
    await assert.rejects(call, (error) => error instanceof Anthropic.APIError && error.status === 402 && error.error.error.type === "billing_error");
    assert.equal(calls.calls, 1);
  },

  async "a model that is not allowed is a PermissionDeniedError"({ as, model }) {
    const call = as("narrow").messages.create({ model: model("words-1"), ...question });
    await assert.rejects(call, Anthropic.PermissionDeniedError);
  },

  async "a model that does not exist is a NotFoundError"({ client }) {
    await assert.rejects(client.messages.create({ model: "nobody:nothing", ...question }), Anthropic.NotFoundError);
  },

  async "a broken request is a BadRequestError"({ client, model }) {
    const call = client.messages.create({ model: model("words-1"), ...question, max_tokens: -1 });
    await assert.rejects(call, Anthropic.BadRequestError);
  },

  async "a rate limit is waited for and tried again"({ client, calls, model }) {
    const answer = await client.messages.create({ model: model("sdk-later"), ...question });
    assert.equal(answer.stop_reason, "end_turn");
    assert.equal(calls.calls, 2);
  },

  async "a rate limit without end is a RateLimitError"({ as, model }) {
    const call = as("good", { maxRetries: 0 }).messages.create({ model: model("429"), ...question });
    await assert.rejects(call, (error) => error instanceof Anthropic.RateLimitError && error.headers.get("retry-after") === "1");
  },

  async "a failing provider is an InternalServerError of 502"({ as, model }) {
    const call = as("good", { maxRetries: 0 }).messages.create({ model: model("500"), ...question });
    await assert.rejects(call, (error) => error instanceof Anthropic.InternalServerError && error.status === 502);
  },

  async "an error in the middle of a stream raises"({ client, model }) {
    for (const script of ["error-mid", "cut"]) {
      const stream = await client.messages.create({ model: model(script), ...question, stream: true });
      let text = "";
      const reading = (async () => {
        for await (const event of stream) if (event.type === "content_block_delta") text += event.delta.text;
      })();
      await assert.rejects(reading, Anthropic.APIError, script);
      assert.match(text, /^This/);
    }
  },

  async "a stream can be left"({ client, model }) {
    const stream = await client.messages.create({ model: model("pace-20"), ...question, stream: true });
    for await (const event of stream) if (event.type === "content_block_delta") break;
    assert.ok(stream.controller.signal.aborted);
  },
};
