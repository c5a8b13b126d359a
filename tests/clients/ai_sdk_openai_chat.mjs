// The AI SDK with OpenAI's Chat Completions.
import { createOpenAI } from "@ai-sdk/openai";

export { asks, told } from "./ai_sdk.mjs";

export function connect(url, options) {
  return createOpenAI({ baseURL: `${url}/v1`, ...options }).chat;
}
