// `make dev`: the built Worker on workerd at 127.0.0.1, with everything a first call needs.
//
//   node edge/dev.mjs PATH_OF_THE_UPSTREAM_SIMULATOR
//
// PORT (8787), STATE (`.signalbox/`; `memory` for none). Ready when GET /health answers 200.
import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Log, LogLevel, Miniflare } from "miniflare";

const HOST = "127.0.0.1";
const root = join(import.meta.dirname, "..");
const stateFolder = process.env.STATE === "memory" ? undefined : join(root, ".signalbox");
const closers = []; // what to stop, last started first

stopOnSignals();
main().catch((error) => {
  console.error(`make dev: ${error.message}`);
  stop(1);
});

async function main() {
  const port = await freePort(process.env.PORT || "8787");
  const settings = loadSettings();
  const own = { SIGNALBOX_PUBLIC_URL: `http://${HOST}:${port}` };
  const bindings = { ...own, ...providerBindings(), SIGNALBOX_SECRET: settings.secret, SIGNALBOX_ADMIN_KEY: settings.admin_key };
  const { origin, model = "openai:gpt-5.4-mini" } = await startSimulator(process.argv[2]);
  if (origin) Object.assign(bindings, simulatedBindings(origin));

  const url = await startWorker(port, bindings);
  settings.dev_key = await devKey(url, settings);
  saveSettings(settings);
  const console_ = await fetch(`${url}/console/`);
  await console_.body?.cancel();
  greet(url, settings, model, origin !== undefined, console_.ok);
}

/** The port that is wanted, if nobody listens there: workerd would say so in words of its own, when all else has started. */
async function freePort(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`PORT is a number from 1 to 65535, not \`${text}\``);
  const probe = createServer().listen(port, HOST);
  await once(probe, "listening").catch(({ code, message }) => {
    throw new Error(code === "EADDRINUSE" ? `port ${port} is taken; choose another with PORT=` : message);
  });
  probe.close();
  await once(probe, "close");
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

/**
 * Starts the built-in upstream, unless the environment configures a provider: that one is told by the gateway's own rules. Gives its
 * `origin`, or the `model` for a first call. It ends with its standard input, so it cannot outlive us.
 */
async function startSimulator(path) {
  if (!path) throw new Error("name the upstream simulator, as `make dev` does");
  const child = spawn(path, ["--port", "0", "--with-parent", "--if-wanted"], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "close"); // then all that it said has been read
  closers.push(() => (child.kill("SIGTERM"), exited));
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), exited.then(() => [""])]);
  const [, said, what] = /^(listening on|not wanted:) (\S+)$/.exec(line) ?? [];
  if (!said) throw new Error(`the simulator did not start: ${line || "it ended"}`);
  return said === "not wanted:" ? { model: what } : { origin: what };
}

function simulatedBindings(origin) {
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

/** What `make dev-lambda` prints, too. */
function greet(url, { dev_key, admin_key }, model, simulated, canSignIn) {
  const filled = {
    url,
    model,
    admin_key,
    key: dev_key,
    note: simulated ? "   (no provider key in the environment: the built-in simulator answers)" : "",
    console: canSignIn ? "" : "   (nobody can sign in yet: auth.console)",
  };
  const text = readFileSync(join(root, "tests/src/dev/ready.txt"), "utf8");
  process.stdout.write(text.replace(/{{(\w+)}}/g, (_, name) => filled[name]));
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
