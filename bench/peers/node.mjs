// What the peers' start-up scripts ask of Node, on a runtime that has no server to start: the application they would
// serve is kept, and everything else is refused when it is used.
import { begin } from "./globals.mjs";

let application;

// @hono/node-server
export const serve = ({ fetch }) => { application = fetch; };

// The bundle's Worker.
export const served = {
  fetch(request, env, context) {
    begin();
    return application(request, env, context);
  },
};

// @hono/node-ws
export const createNodeWebSocket = () => ({ injectWebSocket() {}, upgradeWebSocket: () => () => new Response(null, { status: 501 }) });

// ioredis, avsc, ws, https, fs, path, url
export default class Absent {
  constructor() {
    throw new Error("not on this runtime");
  }
}
export { Absent as Agent };
export const readFile = async () => { throw new Error("not on this runtime"); };
export const [writeFile, mkdir, unlink, readdir] = Array(4).fill(readFile);
export const join = (...parts) => parts.join("/");
export const [dirname, resolve, fileURLToPath] = Array(3).fill((path) => path);
export const readFileSync = () => "";
