// What people do with the openai package, Responses.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { City, add, question, result, system } from "./asked.mjs";

export function connect(url, options) {
  return new OpenAI({ baseURL: `${url}/v1`, ...options });
}

export function told({ status, code }) {
  return { status, code };
}

const ask = { instructions: system, input: [{ role: "user", content: question }] };
const tools = [{ type: "function", name: "add", parameters: add, strict: true }];
const text = { format: zodTextFormat(City, "city") };

async function loop(respond) {
  const first = await respond(ask.input);
  const call = first.output.find(({ type }) => type === "function_call");
  const second = await respond([...ask.input, ...first.output, { type: "function_call_output", call_id: call.call_id, output: result }]);
  return { arguments: JSON.parse(call.arguments), text: second.output_text };
}

export const asks = {
  async plain({ client, model }) {
    const answer = await client.responses.create({ model: model("words-3"), instructions: system, input: question });
    return { text: answer.output_text, output_tokens: answer.usage.output_tokens };
  },

  async stream({ client, model }) {
    let text = "";
    let usage;
    for await (const event of await client.responses.create({ model: model("words-3"), ...ask, stream: true })) {
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.completed") usage = event.response.usage;
    }
    return { text, output_tokens: usage.output_tokens };
  },

  async tools({ client, model }) {
    return loop((input) => client.responses.create({ model: model("tools"), ...ask, input, tools }));
  },

  async streamed_tools({ client, model }) {
    return loop((input) => client.responses.stream({ model: model("tools"), ...ask, input, tools }).finalResponse());
  },

  async structured({ client, model }) {
    return (await client.responses.parse({ model: model("friendly"), ...ask, text })).output_parsed;
  },

  async streamed_structured({ client, model }) {
    return (await client.responses.stream({ model: model("friendly"), ...ask, text }).finalResponse()).output_parsed;
  },
};

export const checks = {
  async "events are numbered without a gap"({ client, model }) {
    const numbers = [];
    for await (const { sequence_number } of await client.responses.create({ model: model("words-3"), ...ask, stream: true })) numbers.push(sequence_number);
    assert.deepEqual(numbers, numbers.map((_, place) => place));
  },

  async "an error in the middle of a stream is told"({ client, model }) {
    for (const script of ["error-mid", "cut"]) {
      const reading = (async () => {
        for await (const event of await client.responses.create({ model: model(script), ...ask, stream: true })) {
          if (event.type === "error") throw new OpenAI.APIError(undefined, event, event.message);
          if (event.type === "response.failed") throw new OpenAI.APIError(undefined, event.response.error, "failed");
        }
      })();
      await assert.rejects(reading, OpenAI.APIError, script);
    }
  },

  async "a stream can be left"({ client, model }) {
    const stream = await client.responses.create({ model: model("pace-20"), ...ask, stream: true });
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
    assert.ok(stream.controller.signal.aborted);
  },
};
