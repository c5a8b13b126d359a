// Checks signatures with edge/crypto.mjs inside workerd, as the Worker does: `[algorithm, jwk, message, signature]` each from
// stdin, the verdicts to stdout. Ends with 3 where miniflare is not installed.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");
if (!existsSync(join(root, "edge/node_modules/miniflare"))) process.exit(3);
const { Miniflare } = createRequire(join(root, "edge/package.json"))("miniflare");
const [, date] = /^compatibility_date = "([^"]+)"/m.exec(readFileSync(join(root, "wrangler.toml"), "utf8"));

const worker = new Miniflare({
  cf: false,
  telemetry: { enabled: false },
  compatibilityDate: date,
  modules: [
    {
      type: "ESModule",
      path: "verify.mjs",
      contents: `
        import { verify } from "./crypto.mjs";
        const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
        export default { async fetch(request) {
          const good = [];
          for (const [algorithm, jwk, message, signature] of await request.json())
            good.push(await verify(algorithm, jwk, bytes(message), bytes(signature)));
          return Response.json(good);
        } };`,
    },
    { type: "ESModule", path: "crypto.mjs", contents: readFileSync(join(root, "edge/crypto.mjs"), "utf8") },
  ],
});
const answer = await worker.dispatchFetch("http://verifier/", { method: "POST", body: readFileSync(0) });
process.stdout.write(await answer.text());
await worker.dispose();
