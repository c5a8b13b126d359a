// The Worker with a fault in it, which no input is known to cause: a request whose URL holds a certain word traps in the wasm.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A copy of the modules that traps where the core asks what a request is. It lies beside them: workerd reads nothing above its own folder. */
export function trapping(modules, word) {
  const folder = mkdtempSync(join(modules, "../.trapping-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(modules, folder, { recursive: true });
  const glue = join(folder, "glue.mjs");
  const text = readFileSync(glue, "utf8");
  const place = "  envelope() {\n";
  if (text.split(place).length !== 2) throw new Error("glue.mjs has no such place any more");
  const trap = `if (this.request.url.includes(${JSON.stringify(word)})) throw new WebAssembly.RuntimeError("unreachable");\n`;
  writeFileSync(glue, text.replace(place, place + trap));
  return folder;
}
