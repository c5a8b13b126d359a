// The AI SDK with Anthropic's Messages.
import { createAnthropic } from "@ai-sdk/anthropic";

export { asks, told } from "./ai_sdk.mjs";

export function connect(url, options) {
  return createAnthropic({ baseURL: `${url}/v1`, ...options });
}
