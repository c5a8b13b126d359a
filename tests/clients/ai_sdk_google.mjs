// The AI SDK with Google's generateContent.
import { createGoogleGenerativeAI } from "@ai-sdk/google";

export { asks } from "./ai_sdk.mjs";

export function connect(url, options) {
  return createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, ...options });
}

export function told({ statusCode, data }) {
  return { status: statusCode, code: data.error.status };
}
