// `make dev`: the built Worker on workerd at 127.0.0.1, with everything a first call needs.
//
//   node edge/dev.mjs [path of the upstream simulator]
//
// PORT (8787), STATE (`.signalbox/`; `memory` for none). Ready when GET /health answers 200.
import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Log, LogLevel, Miniflare } from "miniflare";

const HOST = "127.0.0.1";
// A binding by which some provider is there; those of other names only say more about it.
const ENABLES = /_(API_KEY|API_TOKEN|BASE_URL|ACCESS_KEY_ID|ACCESS_TOKEN|SERVICE_ACCOUNT|WORKLOAD_IDENTITY)$/;
const root = join(import.meta.dirname, "..");
const stateFolder = process.env.STATE === "memory" ? undefined : join(root, ".signalbox");
const closers = []; // what to stop, last started first

stopOnSignals();
main().catch((error) => {
  console.error(`make dev: ${error.message}`);
  stop(1);
});

async function main() {
  const port = readPort(process.env.PORT ?? "8787");
  const settings = loadSettings();
  const own = { SIGNALBOX_PUBLIC_URL: `http://${HOST}:${port}` };
  const bindings = { ...own, ...providerBindings(), SIGNALBOX_SECRET: settings.secret, SIGNALBOX_ADMIN_KEY: settings.admin_key };
  const simulated = !Object.keys(bindings).some((name) => ENABLES.test(name));
  if (simulated) Object.assign(bindings, await startSimulator(process.argv[2]));

  const url = await startWorker(port, bindings);
  settings.dev_key = await devKey(url, settings);
  saveSettings(settings);
  const console_ = await fetch(`${url}/console/`);
  await console_.body?.cancel();
  greet(url, settings, bindings, simulated, console_.ok);
}

function readPort(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`PORT is a number from 1 to 65535, not \`${text}\``);
  return port;
}

/** The caller's environment, as far as it is meant for the gateway. */
function providerBindings() {
  const wanted = ([name, value]) =>
    value && (/_(API_KEY|BASE_URL)$/.test(name) || /^(SIGNALBOX|BEDROCK|VERTEX|CLOUDFLARE)_/.test(name));
  return Object.fromEntries(Object.entries(process.env).filter(wanted));
}

/** Secrets of this checkout: given ones, else the kept ones, else new ones. */
function loadSettings() {
  let kept = {};
  try {
    kept = JSON.parse(readFileSync(settingsFile(), "utf8"));
  } catch (error) {
    if (stateFolder && error.code !== "ENOENT") throw new Error(`${settingsFile()} is not readable: ${error.message}`);
  }
  return {
    secret: process.env.SIGNALBOX_SECRET || kept.secret || randomBytes(32).toString("hex"),
    admin_key: process.env.SIGNALBOX_ADMIN_KEY || kept.admin_key || randomBytes(24).toString("hex"),
    dev_key: kept.dev_key,
    kept,
  };
}

function saveSettings({ secret, admin_key, dev_key, kept }) {
  if (!stateFolder) return;
  // What the environment gave stays in the environment; what others keep in this file stays in it.
  const next = { ...kept, dev_key };
  if (!process.env.SIGNALBOX_SECRET) next.secret = secret;
  if (!process.env.SIGNALBOX_ADMIN_KEY) next.admin_key = admin_key;
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(settingsFile(), JSON.stringify(next, null, 2) + "\n", { mode: 0o600 });
  chmodSync(settingsFile(), 0o600); // `mode` above only counts for a new file
}

function settingsFile() {
  return stateFolder && join(stateFolder, "dev.json");
}

/** Starts the built-in upstream; it ends with its standard input, so it cannot outlive us. */
async function startSimulator(path) {
  if (!path) throw new Error("no provider key in the environment, and no simulator was named");
  const child = spawn(path, ["--port", "0", "--with-parent"], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  closers.push(() => (child.kill("SIGTERM"), exited));
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), exited.then(() => [""])]);
  const origin = /^listening on (http:\S+)$/.exec(line)?.[1];
  if (!origin) throw new Error(`the simulator did not start: ${line || "it ended"}`);
  return {
    OPENAI_API_KEY: "simulated",
    OPENAI_BASE_URL: `${origin}/v1`,
    ANTHROPIC_API_KEY: "simulated",
    ANTHROPIC_BASE_URL: origin,
  };
}

async function startWorker(port, bindings) {
  const folder = (name) => (stateFolder ? join(stateFolder, name) : false);
  const worker = new Miniflare({
    name: "signalbox",
    host: HOST,
    port,
    cf: false,
    telemetry: { enabled: false },
    log: new Log(LogLevel.WARN),
    compatibilityDate: "2026-10-01", // as in wrangler.toml
    compatibilityFlags: ["enable_request_signal"],
    modules: true,
    modulesRules: [
      { type: "ESModule", include: ["**/*.js", "**/*.mjs"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
    ],
    rootPath: join(root, "edge/build"),
    scriptPath: "entry.mjs",
    bindings,
    kvNamespaces: ["CONFIG"],
    kvPersist: folder("kv"),
    durableObjects: { TENANT: { className: "Tenant", useSQLite: true } },
    durableObjectsPersist: folder("objects"),
  });
  closers.push(() => worker.dispose());
  stopOnSignals(); // miniflare has just added handlers that exit without waiting for its child
  await worker.ready;
  const url = `http://${HOST}:${port}`;
  const health = await fetch(`${url}/health`);
  if (!health.ok) throw new Error(`GET /health answered ${health.status}: ${await health.text()}`);
  return url;
}

/** The kept development key when it still opens the door, else a new one. */
async function devKey(url, { dev_key, admin_key }) {
  if (dev_key) {
    const models = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${dev_key}` } });
    await models.body?.cancel();
    if (models.ok) return dev_key;
  }
  const answer = await fetch(`${url}/admin/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin_key}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "dev", team: "default" }),
  });
  if (!answer.ok) throw new Error(`POST /admin/v1/keys answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()).key;
}

function greet(url, { dev_key, admin_key }, bindings, simulated, hasConsole) {
  const model = bindings.OPENAI_API_KEY ? "openai:gpt-5.4-mini" : bindings.ANTHROPIC_API_KEY ? "anthropic:claude-haiku-4-5" : "fast";
  console.log(`
Signalbox   ${url}${simulated ? "   (no provider key in the environment: the built-in simulator answers)" : ""}
dev key     ${dev_key}
admin key   ${admin_key}
console     ${hasConsole ? `${url}/console/` : "none yet"}

curl -N ${url}/v1/chat/completions \\
  -H 'authorization: Bearer ${dev_key}' \\
  -H 'content-type: application/json' \\
  -d '{"model":"${model}","stream":true,"messages":[{"role":"user","content":"Say hello in five words."}]}'

Stop with Ctrl-C.`);
}

function stopOnSignals() {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(signal).on(signal, () => stop(0));
}

let stopping = false;
async function stop(code) {
  if (stopping) return;
  stopping = true;
  for (const close of closers.reverse()) await Promise.resolve(close()).catch(() => {});
  process.exit(code);
}
