// Asks Durable Objects of the built Worker what stands on standard input, line by line, and prints the answers:
// `{"object": NAME, "method": "perform" | "records", "json": TEXT}` gives `{"json": TEXT}` or `{"error": TEXT}`.
// `{"sleep": MS}` lets time pass. Modules from SUITE_MODULES; nothing is kept.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "../../..");
const { Log, LogLevel, Miniflare } = createRequire(join(root, "edge/package.json"))("miniflare");

// What is deployed decides: date and flags are those of wrangler.toml.
const wrangler = readFileSync(join(root, "wrangler.toml"), "utf8");
const [, date] = /^compatibility_date = "([^"]+)"/m.exec(wrangler);
const flags = JSON.parse(/^compatibility_flags = (\[.*\])/m.exec(wrangler)[1]);

const rules = [
  { type: "ESModule", include: ["**/*.js", "**/*.mjs"] },
  { type: "CompiledWasm", include: ["**/*.wasm"] },
];
// Methods of objects are called from a Worker: this one passes a question on.
const bridge = `export default {
  async fetch(request, env) {
    const { object, method, json } = await request.json();
    const stub = env.TENANT.get(env.TENANT.idFromName(object));
    try {
      return Response.json({ json: await stub[method](json) });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },
};`;
const common = { compatibilityDate: date, compatibilityFlags: flags, modules: true };
const runtime = new Miniflare({
  host: "127.0.0.1",
  port: 0,
  cf: false,
  telemetry: { enabled: false },
  log: new Log(LogLevel.ERROR),
  workers: [
    {
      ...common,
      name: "bridge",
      script: bridge,
      durableObjects: { TENANT: { className: "Tenant", scriptName: "signalbox", useSQLite: true } },
    },
    {
      ...common,
      name: "signalbox",
      modulesRules: rules,
      rootPath: process.env.SUITE_MODULES,
      scriptPath: "entry.mjs",
      kvNamespaces: ["CONFIG"],
      durableObjects: { TENANT: { className: "Tenant", useSQLite: true } },
    },
  ],
});
await runtime.ready;
process.stdout.write("ready\n");

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  if ("sleep" in question) {
    await new Promise((resolve) => setTimeout(resolve, question.sleep));
    process.stdout.write("{}\n");
    continue;
  }
  const answer = await runtime.dispatchFetch("http://bridge/", { method: "POST", body: line });
  process.stdout.write(`${JSON.stringify(await answer.json())}\n`);
}
await runtime.dispose();
