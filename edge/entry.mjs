// The Worker's main module: hands what the runtime calls to the core in wasm, and survives the core's panics.
//
// A panic (or any other trap) ends the wasm instance and every future in it: none of them would ever resolve.
// `aborted.notify` (put into index.js by build-worker) is called at that moment, whoever was on the stack.
import { DurableObject } from "cloudflare:workers";
import { Call, releaseAll } from "./glue.mjs";
import * as wasm from "./index.js";
import { connect } from "./operation.mjs";

const SKEW_MS = 60_000;

let dead = false; // the instance trapped and has not been replaced yet
let generation = 0; // how many instances trapped so far
const waiting = new Set(); // the calls inside the present instance

wasm.aborted.notify = () => {
  dead = true;
  generation += 1;
  for (const call of waiting) call.reject(new Error("the wasm instance was aborted"));
  waiting.clear();
  releaseAll();
};

/** The core in a living instance. Every call goes through here: arguments written into a dead one would be lost. */
function core() {
  if (dead) {
    dead = false;
    wasm.__wbg_reset_state();
  }
  return wasm;
}

connect(core);

export default {
  fetch(request, env, ctx) {
    const call = new Call(request);
    waiting.add(call);
    const answered = call.answered.then(
      (response) => (waiting.delete(call), response),
      (error) => panicked(call, error),
    );
    try {
      core().serve(call, env);
    } catch (error) {
      call.reject(error); // it trapped before it first waited
    }
    // What was begun is settled, whether or not the caller waits for it.
    ctx.waitUntil(answered);
    return answered;
  },

  /** Once a minute (`triggers` in wrangler.toml), whether or not anybody calls. */
  scheduled(controller, env) {
    let rejected;
    return new Promise((resolve, reject) => {
      waiting.add((rejected = { reject }));
      core().tend(env, resolve);
    }).finally(() => waiting.delete(rejected));
  },
};

/** The answer to a request whose instance is gone: in the caller's dialect, with an id that is also in the log. */
function panicked({ request }, error) {
  const id = `req_${crypto.randomUUID().replaceAll("-", "")}`;
  const { pathname } = new URL(request.url);
  console.error(JSON.stringify({ level: "error", event: "panic", request_id: id, path: pathname, error: String(error) }));
  const call = new Call(request);
  try {
    core().broken(call, pathname, id);
  } catch {
    call.reject(new Error(id));
  }
  return call.answered.catch(() => {
    const message = `Internal error. Request id: ${id}`;
    return Response.json({ error: { message, type: "server_error" } }, { status: 500 });
  });
}

/** One tenant's books and journal, or one shelf of records: synchronous machines in wasm over the object's SQLite. */
export class Tenant extends DurableObject {
  #machines = {};
  #generation;
  #alarm; // when the object will be woken, as far as this instance of it knows

  /** A turn of the books, JSON in and out. */
  perform(json) {
    const answer = this.#turn("Tenant", json);
    this.#setAlarm();
    return answer;
  }

  /** Leases end and windows close also when nobody calls. */
  alarm() {
    this.#alarm = undefined;
    const now = Date.now();
    this.#turn("Tenant", JSON.stringify({ now, commands: [{ expire: now }] }));
    this.#setAlarm();
  }

  /** An alarm that comes too early does no harm and finds the next one, so most calls set none. */
  #setAlarm() {
    const wanted = this.#living("Tenant").wake();
    if (wanted === undefined || this.#alarm <= wanted) return;
    // Callers whose clock is far behind this one's say themselves when a lease is over.
    if (wanted * 1_000 < Date.now() - SKEW_MS) return;
    this.#alarm = wanted;
    // A write like any other: the answer waits for it, and an object that cannot write is restarted.
    this.ctx.storage.setAlarm(wanted * 1_000);
  }

  /** A question to the shelf, JSON in and out; a tenant's is its journal. */
  records(json) {
    return this.#turn("Shelf", json);
  }

  /** What fails rolls its writes back and rejects; the next call finds a machine rebuilt from what is stored. */
  #turn(kind, json) {
    try {
      return this.ctx.storage.transactionSync(() => this.#living(kind).call(json));
    } catch (error) {
      delete this.#machines[kind];
      throw error;
    }
  }

  #living(kind) {
    const { [kind]: Machine } = core();
    if (this.#generation !== generation) {
      this.#machines = {};
      this.#generation = generation;
    }
    return (this.#machines[kind] ??= new Machine(this.ctx));
  }
}
