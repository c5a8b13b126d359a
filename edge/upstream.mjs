// Calls to providers: whole ones, streams that flow past the wasm natively, streams that pass through it.
// Imported by the wasm; no policy in here.

import { env } from "cloudflare:workers";
import { collect, fields, values } from "./http.mjs";
import { Answer, operation } from "./operation.mjs";

const PIECE = 64 * 1024;
/** Headers of a provider's answer that the core reads; `glue.rs` knows them in this order. */
const LIMITS = ["limit", "remaining", "reset"];
const READ = [
  "content-type", "content-length", "retry-after", "retry-after-ms",
  ...["requests", "tokens"].flatMap((what) => LIMITS.map((figure) => `x-ratelimit-${figure}-${what}`)),
  ...["requests", "tokens"].flatMap((what) => LIMITS.map((figure) => `anthropic-ratelimit-${what}-${figure}`)),
];

/** Those that it may pass on to a caller, beside them. */
const PASSED = [...READ, "content-disposition", "content-encoding", "content-range", "accept-ranges", "etag", "last-modified"];

/** What stands for the binding `AI` among the core's URLs; a model's name follows. There is no such host. */
const WORKERS_AI = "https://binding.invalid/AI/run/";

function call(method, url, headers, body, signal) {
  if (url.startsWith(WORKERS_AI)) return run(url.slice(WORKERS_AI.length), body, signal);
  // A GET with a body, even an empty one, is refused by fetch.
  return fetch(url, { method, headers, body: body.length > 0 ? body : undefined, redirect: "manual", signal });
}

/** A call of Workers AI by its binding: the answer is what its REST API would send, without the envelope. */
async function run(model, body, signal) {
  const inputs = JSON.parse(new TextDecoder().decode(body));
  return env.AI.run(decodeURIComponent(model), inputs, { returnRawResponse: true, signal });
}

/** The head of a provider's answer, a line each. */
function head({ status, headers }, names) {
  return status + values(headers, names);
}

/** Sends a call and brings its answer whole: the head, a line of its own, then the body if it is within `limit`. */
export function exchange(method, url, headers, body, patience, limit) {
  // What lies in the wasm's memory may have moved by the time it is sent. Nothing but its time ends the
  // call: when the caller leaves, its context ends, and the call with it.
  return operation(whole(method, url, fields(headers), body.slice(), AbortSignal.timeout(patience), limit));
}

async function whole(method, url, headers, body, signal, limit) {
  const answer = await call(method, url, headers, body, signal);
  const length = answer.headers.get("content-length");
  if (length > limit) return new Answer(head(answer, READ));
  if (length !== null) return new Answer(head(answer, READ), new Uint8Array(await answer.arrayBuffer()));
  return new Answer(head(answer, READ), await collect(answer.body, limit));
}

/** One call to a provider whose answer flows. */
export class Upstream {
  abort = new AbortController();
  /** Why we ended the call ourselves, if we did. */
  stopped;

  /** Sends the call; brings the head of the answer once it is there. */
  send(method, url, headers, body, forward) {
    // What lies in the wasm's memory may have moved by the time it is sent.
    return operation(this.begin(method, url, fields(headers), body.slice(), forward));
  }

  async begin(method, url, headers, body, forward) {
    const answer = await call(method, url, headers, body, this.abort.signal);
    if (forward && answer.ok && answer.body) [this.forwarded, this.watched] = answer.body.tee();
    else this.watched = answer.body;
    return head(answer, PASSED);
  }

  /** The next bytes of the body; nothing at the end. */
  chunk() {
    return operation(this.read());
  }

  /** The next bytes of the body, as many as have arrived; nothing at the end. Valid until the next call. */
  async read() {
    if (!this.watched) return undefined;
    this.reader ??= this.watched.getReader({ mode: "byob" });
    const { value, done } = await this.reader.read(new Uint8Array(this.buffer ?? PIECE));
    this.buffer = value?.buffer;
    return done ? undefined : value;
  }

  stop(why) {
    if (this.stopped !== undefined) return;
    this.stopped = why;
    this.abort.abort(new Error(why));
    this.release?.();
  }

  /** Waits for the caller to take something, but not longer than until we end the call: who stops reading would never be settled. */
  until(taken) {
    return new Promise((resolve) => {
      this.release = resolve;
      taken.then(resolve);
    });
  }

  /** Lets the forwarded half flow to the caller by itself from here on. */
  pipe(tick, idle, left) {
    return new Pipe(this, tick, idle, left);
  }
}

/**
 * A body on its way to the caller without a step of ours per piece. The other half of the tee, which
 * holds what has passed, is read on a slow tick (that bounds it, and tells silence) and at the end.
 */
class Pipe {
  silent = 0;
  over = false;
  /** A read under way, and what it brought. */
  reading;
  read;

  constructor(upstream, tick, idle, left) {
    const { readable, writable } = new IdentityTransformStream();
    Object.assign(this, { upstream, tick, idle, readable, writable });
    this.total = setTimeout(() => upstream.stop("total"), left);
    // An answer without a body has nothing to flow.
    const flow = upstream.forwarded?.pipeTo(writable, { preventClose: true, preventAbort: true });
    // Caller gone or provider dead: a dead provider gives its own error to the other half.
    this.flowed = Promise.resolve(flow).catch(() => upstream.stop("gone"));
    this.ended = upstream.until(this.flowed).then(() => {
      this.over = true;
    });
  }

  /** The next bytes that passed, or at last the reason there are no more: end, cut, gone, idle, total. */
  next() {
    return operation(this.step());
  }

  async step() {
    while (!this.over) {
      const piece = await this.wait();
      if (piece) return piece;
    }
    if (!this.read) await this.begin();
    const { piece, error } = this.take();
    if (error) return error.message === this.upstream.stopped ? this.upstream.stopped : "cut";
    return piece ?? "end";
  }

  /** Waits for a tick, or for what a read begun at an earlier tick brings. Nothing for `idle` ms is silence. */
  async wait() {
    let timer;
    const tick = new Promise((resolve) => {
      timer = setTimeout(resolve, this.tick);
    });
    await Promise.race([this.ended, tick, ...(this.reading ? [this.reading] : [])]);
    clearTimeout(timer);
    if (this.over) return undefined;
    if (this.read) {
      // The provider is done; what is left flows to the caller at the caller's pace.
      if (!this.read.piece) return this.ended;
      this.silent = 0;
      return this.take().piece;
    }
    if (this.reading && (this.silent += this.tick) >= this.idle) this.upstream.stop("idle");
    this.begin();
    return undefined;
  }

  /** Begins to read, unless a read is under way; resolves when it has brought something. */
  begin() {
    this.reading ??= this.upstream.read().then(
      (piece) => {
        this.read = { piece };
      },
      (error) => {
        this.read = { error };
      },
    );
    return this.reading;
  }

  take() {
    const read = this.read;
    this.read = this.reading = undefined;
    return read;
  }

  /** Sends the caller what is left to say, if anything, and ends the answer. */
  close(last) {
    return operation(this.end(last?.slice()));
  }

  async end(last) {
    clearTimeout(this.total);
    await this.flowed;
    try {
      const writer = this.writable.getWriter();
      if (last) await writer.write(last);
      await writer.close();
    } catch {
      // The caller has gone: nobody is left to tell.
    }
  }
}

/** A body that passes through the core piece by piece: read here, written here, one step of the core's in between. */
export class Pump {
  silent = 0;

  constructor(upstream, tick, idle, left) {
    const { readable, writable } = new IdentityTransformStream();
    Object.assign(this, { upstream, readable, writer: writable.getWriter() });
    // Two timers for the whole stream, not one a piece.
    this.total = setTimeout(() => upstream.stop("total"), left);
    this.ticks = setInterval(() => {
      // While the caller is slow it is not the provider who is silent.
      if (!this.full && (this.silent += tick) >= idle) upstream.stop("idle");
    }, tick);
  }

  /** The next bytes, or at last the reason there are no more: end, cut, gone, idle, total. */
  next() {
    return operation(this.step());
  }

  async step() {
    if (this.full) await this.full;
    this.full = undefined;
    try {
      const piece = await this.upstream.read();
      this.silent = 0;
      return piece ?? "end";
    } catch (error) {
      return error?.message === this.upstream.stopped ? this.upstream.stopped : "cut";
    }
  }

  /** Hands bytes to the caller. The next piece is read meanwhile, unless the caller is slower than the provider. */
  write(bytes) {
    const written = this.writer.write(bytes.slice()).catch(() => this.upstream.stop("gone"));
    if (this.writer.desiredSize <= 0) this.full = this.upstream.until(written);
  }

  /** Sends the caller what is left to say, if anything, and ends the answer. */
  close(last) {
    return operation(this.end(last?.slice()));
  }

  async end(last) {
    clearTimeout(this.total);
    clearInterval(this.ticks);
    try {
      if (last) await this.writer.write(last);
      await this.writer.close();
    } catch {
      // The caller has gone: nobody is left to tell.
    }
  }
}
