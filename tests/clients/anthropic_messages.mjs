// What people do with the @anthropic-ai/sdk package.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { City, add, question, result, system } from "./asked.mjs";

export function connect(url, options) {
  return new Anthropic({ baseURL: url, ...options });
}

export function told({ status, error }) {
  return { status, code: error.error.type };
}

const user = { role: "user", content: question };
const ask = { max_tokens: 2000, system, messages: [user] };
const tools = [{ name: "add", input_schema: add }];
const output_config = { format: zodOutputFormat(City) };

const textOf = ({ content }) => content.map(({ text }) => text ?? "").join("");

async function loop(complete) {
  const first = await complete([user]);
  const call = first.content.find(({ type }) => type === "tool_use");
  const results = [{ type: "tool_result", tool_use_id: call.id, content: result }];
  const second = await complete([user, { role: "assistant", content: first.content }, { role: "user", content: results }]);
  return { arguments: call.input, text: textOf(second) };
}

export const asks = {
  async plain({ client, model }) {
    const answer = await client.messages.create({ model: model("words-3"), ...ask });
    return { text: textOf(answer), output_tokens: answer.usage.output_tokens };
  },

  async stream({ client, model }) {
    const stream = client.messages.stream({ model: model("words-3"), ...ask });
    let text = "";
    stream.on("text", (delta) => (text += delta));
    const { usage } = await stream.finalMessage();
    return { text, output_tokens: usage.output_tokens };
  },

  async tools({ client, model }) {
    return loop((messages) => client.messages.create({ model: model("tools"), ...ask, messages, tools }));
  },

  async streamed_tools({ client, model }) {
    return loop((messages) => client.messages.stream({ model: model("tools"), ...ask, messages, tools }).finalMessage());
  },

  async structured({ client, model }) {
    return (await client.messages.parse({ model: model("friendly"), ...ask, output_config })).parsed_output;
  },

  async streamed_structured({ client, model }) {
    const answer = await client.messages.stream({ model: model("friendly"), ...ask, output_config }).finalMessage();
    return answer.parsed_output;
  },
};

export const checks = {
  async "an answer tells the request's id"({ client, model }) {
    const answer = await client.messages.create({ model: model("words-1"), ...ask });
    assert.match(answer._request_id, /^req_/);
  },

  async "an event stream begins and ends"({ client, model }) {
    const types = new Set();
    for await (const { type } of await client.messages.create({ model: model("words-3"), ...ask, stream: true })) types.add(type);
    assert.ok(types.has("message_start") && types.has("message_stop"));
  },

  async "models"({ client }) {
    const names = [];
    for await (const { id } of client.models.list()) names.push(id);
    assert.ok(names.includes("anthropic:claude-haiku-4-5") && names.includes("fast"), names.join(", "));
  },

  async "a refusal is of the SDK's kinds, and tells the request's id"({ as, model }) {
    const call = as("sk-sb-wrong").messages.create({ model: model("words-1"), ...ask });
    await assert.rejects(call, (error) => error instanceof Anthropic.AuthenticationError && /^req_/.test(error.requestID));
  },

  async "a model that is not allowed is a PermissionDeniedError"({ as, model }) {
    const call = as("narrow").messages.create({ model: model("words-1"), ...ask });
    await assert.rejects(call, Anthropic.PermissionDeniedError);
  },

  async "a model that does not exist is a NotFoundError"({ client }) {
    await assert.rejects(client.messages.create({ model: "nobody:nothing", ...ask }), Anthropic.NotFoundError);
  },

  async "a broken request is a BadRequestError"({ client, model }) {
    const call = client.messages.create({ model: model("words-1"), ...ask, max_tokens: -1 });
    await assert.rejects(call, Anthropic.BadRequestError);
  },

  async "a rate limit is waited for and tried again"({ client, calls, model }) {
    const answer = await client.messages.create({ model: model("sdk-later"), ...ask });
    assert.equal(answer.stop_reason, "end_turn");
    assert.equal(calls.calls, 2);
  },

  async "a rate limit without end is a RateLimitError"({ as, model }) {
    const call = as("good", { maxRetries: 0 }).messages.create({ model: model("429"), ...ask });
    await assert.rejects(call, (error) => error instanceof Anthropic.RateLimitError && error.headers.get("retry-after") === "1");
  },

  async "a failing provider is an InternalServerError of 502"({ as, model }) {
    const call = as("good", { maxRetries: 0 }).messages.create({ model: model("500"), ...ask });
    await assert.rejects(call, (error) => error instanceof Anthropic.InternalServerError && error.status === 502);
  },

  async "an error in the middle of a stream raises"({ client, model }) {
    for (const script of ["error-mid", "cut"]) {
      const stream = await client.messages.create({ model: model(script), ...ask, stream: true });
      let text = "";
      const reading = (async () => {
        for await (const event of stream) if (event.type === "content_block_delta") text += event.delta.text;
      })();
      await assert.rejects(reading, Anthropic.APIError, script);
      assert.match(text, /^This/);
    }
  },

  async "a stream can be left"({ client, model }) {
    const stream = await client.messages.create({ model: model("pace-20"), ...ask, stream: true });
    for await (const event of stream) if (event.type === "content_block_delta") break;
    assert.ok(stream.controller.signal.aborted);
  },
};
