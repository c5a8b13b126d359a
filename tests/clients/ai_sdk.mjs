// What every provider of the AI SDK (`ai`) is asked; a program connects one.
import { Output, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { City, add, question, result, system } from "./asked.mjs";

// It warns of models it does not know, on standard output, which is for what was said.
globalThis.AI_SDK_LOG_WARNINGS = false;

const ask = { system, prompt: question };
// Errors are told by what the stream promises; by default they are printed too.
const streamed = { ...ask, onError() {} };

function told({ statusCode, data }) {
  return { status: statusCode, code: data.error.code ?? data.error.type };
}

// The model calls the tool, and is called again with what it answered.
function withATool() {
  const called = [];
  const execute = (input) => {
    called.push(input);
    return result;
  };
  const tools = { add: tool({ description: "Adds.", inputSchema: jsonSchema(add), execute }) };
  return { called, tools, stopWhen: stepCountIs(3) };
}

// A client is a function from a model's name to the SDK's model.
const asks = {
  async plain({ client, model }) {
    const { text, usage } = await generateText({ model: client(model("words-3")), ...ask });
    return { text, output_tokens: usage.outputTokens };
  },

  async stream({ client, model }) {
    const answer = streamText({ model: client(model("words-3")), ...streamed });
    let text = "";
    for await (const delta of answer.textStream) text += delta;
    return { text, output_tokens: (await answer.usage).outputTokens };
  },

  async tools({ client, model }) {
    const { called, ...rest } = withATool();
    const { text } = await generateText({ model: client(model("tools")), ...ask, ...rest });
    return { arguments: called[0], text };
  },

  async streamed_tools({ client, model }) {
    const { called, ...rest } = withATool();
    const text = await streamText({ model: client(model("tools")), ...streamed, ...rest }).text;
    return { arguments: called[0], text };
  },

  async structured({ client, model }) {
    return (await generateText({ model: client(model("friendly")), ...ask, output: Output.object({ schema: City }) })).output;
  },

  async streamed_structured({ client, model }) {
    return streamText({ model: client(model("friendly")), ...streamed, output: Output.object({ schema: City }) }).output;
  },
};

export { asks, told };
