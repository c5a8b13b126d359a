// What every program asks, so that every program is told the same.
import { z } from "zod";

export const system = "Be kind.";
export const question = "Hello?";
// The only tool, `add`: the simulator calls it with the smallest arguments there are, and is answered `result`.
export const add = { type: "object", properties: { a: { type: "integer" } }, required: ["a"], additionalProperties: false };
export const result = "3";
// What structured output must be.
export const City = z.object({ name: z.string() });
