// Bundles the peers for workerd, so that they run on the runtime we run on, into bench/build.
//
// Portkey's gateway is a Worker in its own repository; its npm package holds the same application behind Node's server.
// What its start-up asks of Node is replaced by `node.mjs`: the application itself is bundled as it was published.
import { build } from "esbuild";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const here = import.meta.dirname;
const manifest = createRequire(import.meta.url).resolve("@portkey-ai/gateway/package.json");
const node = join(here, "node.mjs");

await build({
  stdin: {
    contents: `import "${join(dirname(manifest), "build/start-server.js")}"; export { served as default } from "${node}";`,
    resolveDir: here,
  },
  outfile: join(here, "../build/portkey.mjs"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "esnext",
  conditions: ["workerd", "worker", "browser"],
  // Also the names without `node:`.
  external: ["node:*"],
  plugins: [{
    name: "node",
    setup({ onResolve }) {
      const replaced = ["@hono/node-server", "@hono/node-ws", "ioredis", "avsc", "ws", "https", "fs/promises", "fs", "path", "url"];
      onResolve({ filter: /./ }, ({ path }) => (replaced.includes(path) ? { path: node } : undefined));
    },
  }],
  inject: [join(here, "globals.mjs")],
  logLevel: "warning",
});
