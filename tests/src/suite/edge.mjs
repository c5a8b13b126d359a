// The built Worker on workerd, for the suite: bindings from SUITE_BINDINGS, modules from SUITE_MODULES. Nothing is kept, but
// with SUITE_KEEP, a folder; SUITE_PORT is where it listens, else anywhere.
// Prints `listening on URL`, then whatever the Worker logs, line by line.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { trapping } from "./trapping.mjs";
import { boundWorkersAi } from "./workers_ai.mjs";

const root = join(import.meta.dirname, "../../..");
const { Log, LogLevel, Miniflare } = createRequire(join(root, "edge/package.json"))("miniflare");

// What is deployed decides: date and flags are those of wrangler.toml.
const wrangler = readFileSync(join(root, "wrangler.toml"), "utf8");
const [, date] = /^compatibility_date = "([^"]+)"/m.exec(wrangler);
const flags = JSON.parse(/^compatibility_flags = (\[.*\])/m.exec(wrangler)[1]);

// Three names that are no bindings of the Worker: with `AI` it has Workers AI's, workerd's own, with that URL in place of
// Cloudflare; with `TRAP` it traps at requests whose URL holds that word; with `ARCHIVE` it has a bucket of R2, whose
// objects are told by name at that port.
const { AI: workersAi, TRAP: trap, ARCHIVE: archive, ...bindings } = JSON.parse(process.env.SUITE_BINDINGS);
const modules = process.env.SUITE_MODULES;

const kept = process.env.SUITE_KEEP;
const keep = kept && { durableObjectsPersist: join(kept, "objects"), kvPersist: join(kept, "kv") };

const runtime = { compatibilityDate: date, compatibilityFlags: flags };
const signalbox = {
  name: "signalbox",
  ...runtime,
  modules: true,
  modulesRules: [
    { type: "ESModule", include: ["**/*.js", "**/*.mjs"] },
    { type: "CompiledWasm", include: ["**/*.wasm"] },
  ],
  rootPath: trap ? trapping(modules, trap) : modules,
  scriptPath: "entry.mjs",
  bindings,
  kvNamespaces: ["CONFIG"],
  durableObjects: { TENANT: { className: "Tenant", useSQLite: true } },
  ...(archive && { r2Buckets: ["ARCHIVE"] }),
  ...(workersAi && { wrappedBindings: { AI: "workers-ai" } }),
};
const worker = new Miniflare({
  ...keep,
  host: "127.0.0.1",
  port: Number(process.env.SUITE_PORT ?? 0),
  cf: false,
  // `/cdn-cgi/handler/scheduled` does what the platform's clock does.
  unsafeTriggerHandlers: true,
  telemetry: { enabled: false },
  log: new Log(LogLevel.WARN),
  workers: workersAi ? [signalbox, ...boundWorkersAi("workers-ai", workersAi, runtime)] : [signalbox],
  handleStructuredLogs: ({ message }) => {
    process.stdout.write(`${message}\n`); // miniflare insists that nothing is returned
  },
});
const url = await worker.ready;
if (archive) {
  const bucket = await worker.getR2Bucket("ARCHIVE", "signalbox");
  const read = async ({ key }) => [key, await (await bucket.get(key)).text()];
  const told = async () => Object.fromEntries(await Promise.all((await bucket.list()).objects.map(read)));
  const listening = createServer(async (_, answer) => answer.end(JSON.stringify(await told())));
  await new Promise((resolve) => listening.listen(Number(archive), "127.0.0.1", resolve));
}
process.stdout.write(`listening on ${url.origin}\n`);
