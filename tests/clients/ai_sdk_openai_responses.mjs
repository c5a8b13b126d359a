// The AI SDK with OpenAI's Responses.
import { createOpenAI } from "@ai-sdk/openai";
import { defaultSettingsMiddleware, wrapLanguageModel } from "ai";

export { asks, told } from "./ai_sdk.mjs";

export function connect(url, options) {
  const openai = createOpenAI({ baseURL: `${url}/v1`, ...options });
  // Nothing is kept at a provider of another dialect: reasoning is to be sent back, not referred to.
  const middleware = defaultSettingsMiddleware({ settings: { providerOptions: { openai: { store: false } } } });
  return (name) => wrapLanguageModel({ model: openai(name), middleware });
}
