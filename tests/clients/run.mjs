// The official SDKs as callers of the gateway: `node run.mjs openai|anthropic`.
//
// BASE_URL, and the keys KEY, BROKE_KEY (its budget is spent) and NARROW_KEY (may use nothing that is asked for). Every
// check runs against both providers. Prints a line a check; ends with 1 when one failed.
import * as anthropic from "./anthropic.mjs";
import * as openai from "./openai.mjs";

const sdk = { openai, anthropic }[process.argv[2]];
const keys = { good: process.env.KEY, broke: process.env.BROKE_KEY, narrow: process.env.NARROW_KEY };
// What the simulator answers is named after the `~`.
const providers = { openai: "openai:gpt-5.4-mini", anthropic: "anthropic:claude-haiku-4-5" };

let failed = 0;
for (const [provider, model] of Object.entries(providers)) {
  for (const [name, check] of Object.entries(sdk.checks)) {
    const client = sdk.connect(process.env.BASE_URL, keys);
    try {
      await check({ ...client, model: (script) => `${model}~${script}` });
      console.log(`ok      ${name} (${provider})`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name} (${provider}): ${error?.stack ?? error}`);
    }
  }
}
process.exit(failed ? 1 : 0);
