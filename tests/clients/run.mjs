// A JavaScript SDK as a caller of the gateway: `node run.mjs PROGRAM`, a module beside this one.
//
// BASE_URL, and the keys KEY, BROKE_KEY (its budget is spent) and NARROW_KEY (may use nothing that is asked for). Everything
// runs against every provider, and prints one line of JSON: `check`, `provider`, and what it `said` or how it `failed`. A
// program has `connect(url, options)`, the `asks`, `told(error)`: the status and code of a refusal, and may have `checks` of
// its own, which say nothing.
import { counting } from "./counting.mjs";

const program = await import(`./${process.argv[2]}.mjs`);
const keys = { good: process.env.KEY, broke: process.env.BROKE_KEY, narrow: process.env.NARROW_KEY };
// What the simulator answers is named after the `~`.
const providers = { openai: "openai:gpt-5.4-mini", anthropic: "anthropic:claude-haiku-4-5", gemini: "gemini:gemini-2.5-flash" };

// An own fetch, and whatever options the SDK takes.
function setting(model) {
  const calls = counting();
  const connect = (key, options) => program.connect(process.env.BASE_URL, { apiKey: keys[key] ?? key, fetch: calls, ...options });
  return { client: connect("good"), calls, as: connect, model: (script) => `${model}~${script}` };
}

// What a call with this key is refused with.
async function refused(key, { as, model }) {
  try {
    return { error: null, answer: await program.asks.plain({ client: as(key), model }) };
  } catch (error) {
    return { error: error.constructor.name, ...program.told(error) };
  }
}

const checks = {
  ...program.asks,
  wrong_key: (setting) => refused("sk-sb-wrong", setting),
  spent_budget: (setting) => refused("broke", setting),
  ...program.checks,
};
for (const [provider, model] of Object.entries(providers)) {
  for (const [check, run] of Object.entries(checks)) {
    const line = { check, provider };
    try {
      line.said = await run(setting(model));
    } catch (error) {
      line.failed = String(error?.stack ?? error);
    }
    console.log(JSON.stringify(line));
  }
}
// Connections that are kept alive would hold the process.
process.exit();
