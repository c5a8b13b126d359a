// What the Worker needs of JavaScript's own: calls whose body flows past the wasm natively, answers
// from one string of headers, calls of a tenant's object. Imported by the wasm; no policy in here.
//
// What the core waits for is an operation: a function here begins it and gives its number; when it is
// done the core is told by that number. Numbers are never given twice, not even to another instance of
// the wasm, so that what was begun for an instance that is gone tells the next one nothing.

import { waitUntil } from "cloudflare:workers";

const PIECE = 64 * 1024;
/** What is said of a call that took too long; `glue.rs` knows it. */
const LATE = "late";

let core;

/** Names the function that gives the core in a living instance. */
export function connect(living) {
  core = living;
}

let begun = 0;

/** An operation that ends as `promise` does: with bytes, with text, with an answer or with nothing. */
function operation(promise) {
  const number = begin();
  promise.then(
    (value) => finish(number, value),
    (error) => core().failed(number, error?.name === "TimeoutError" ? LATE : String(error?.message ?? error)),
  );
  return number;
}

function begin() {
  return (begun = (begun + 1) >>> 0);
}

function finish(number, value) {
  if (value instanceof Answer) core().answered(number, value.head, value.body);
  else if (value instanceof ArrayBuffer) core().brought(number, new Uint8Array(value));
  else if (value instanceof Uint8Array) core().brought(number, value);
  else if (typeof value === "string") core().told(number, value);
  else core().done(number);
}

const timers = new Map();

/** Waits. */
export function sleep(ms) {
  const number = begin();
  const timer = setTimeout(() => {
    timers.delete(number);
    core().done(number);
  }, ms);
  timers.set(number, timer);
  return number;
}

/** Nobody waits any longer for that `sleep`. */
export function wake(number) {
  clearTimeout(timers.get(number));
  timers.delete(number);
}

/** Has what was woken outside of an operation run soon. */
export function soon() {
  queueMicrotask(() => core().run());
}

const held = new Map();

/** Keeps the platform from ending this request's context until `release`. */
export function hold() {
  const number = begin();
  waitUntil(new Promise((resolve) => held.set(number, resolve)));
  return number;
}

export function release(number) {
  held.get(number)?.();
  held.delete(number);
}

/** The instance is gone, and all that it began: nobody else would let go of it. */
export function releaseAll() {
  for (const number of [...held.keys()]) release(number);
}

export function log(line) {
  console.log(line);
}

const randomness = new BigUint64Array(128);
let used = randomness.length;

/** 64 random bits; asking the platform for many at once is much cheaper than for one. */
export function entropy() {
  if (used === randomness.length) {
    crypto.getRandomValues(randomness);
    used = 0;
  }
  return randomness[used++];
}

/** `name\nvalue\nname\nvalue` as an object: one crossing for all headers. */
function fields(lines) {
  const object = {};
  const parts = lines.split("\n");
  for (let at = 0; at + 1 < parts.length; at += 2) object[parts[at]] = parts[at + 1];
  return object;
}

/** The named headers, a line each, empty where there is none. */
function values(headers, names) {
  let lines = "";
  for (const name of names) lines += `\n${headers.get(name) ?? ""}`;
  return lines;
}

let wanted = [];

/** Says once which headers of a request the core may ask for, a line each. */
export function want(names) {
  wanted = names.split("\n");
}

/** One request of a caller, and the way to answer it. */
export class Call {
  constructor(request) {
    this.request = request;
    this.answered = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Method, URL and the wanted headers, a line each: one crossing for all. */
  envelope() {
    const { method, url, headers } = this.request;
    return `${method}\n${url}${values(headers, wanted)}`;
  }

  /** The whole body, whose length is known and small. */
  body() {
    return operation(this.request.arrayBuffer());
  }

  /** The whole body, if it has no more than `limit` bytes. */
  bodyUpTo(limit) {
    return operation(collect(this.request.body, limit));
  }

  /** Is done when the caller has gone, as far as this runtime tells. */
  gone() {
    const number = begin();
    this.request.signal?.addEventListener("abort", () => core().done(number));
    return number;
  }

  answer(status, headers, body) {
    // What lies in the wasm's memory stays there.
    const none = status === 204 || status === 205 || status === 304;
    this.resolve(new Response(none ? null : body.slice(), { status, headers: fields(headers) }));
  }

  stream(status, headers, body) {
    this.resolve(new Response(body, { status, headers: fields(headers) }));
  }
}

/** A body of unknown length, so that an endless one is left off in time; nothing if it is larger than `limit`. */
async function collect(body, limit) {
  const pieces = [];
  let length = 0;
  for await (const piece of body ?? []) {
    if ((length += piece.length) > limit) return undefined;
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A binding as text: a string as it is, a JSON object as its JSON. */
export function binding(env, name) {
  const value = env[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

const objects = new Map();
const OBJECT_TIMEOUT_MS = 10_000;

/** Calls a tenant's object: commands in, replies out, both JSON. */
export function tenant(env, name, commands) {
  return operation(perform(env, name, commands));
}

/** It may hang (a panic in it does), so there is a limit to waiting. */
async function perform(env, name, commands) {
  let id = objects.get(name);
  if (id === undefined) objects.set(name, (id = env.TENANT.idFromName(name)));
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the tenant's object does not answer")), OBJECT_TIMEOUT_MS);
  });
  try {
    // A stub belongs to the request that made it, an id does not.
    return await Promise.race([env.TENANT.get(id).perform(commands), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Headers of a provider's answer that the core reads; `glue.rs` knows them in this order. */
const READ = ["content-type", "content-length", "retry-after", "retry-after-ms"];
/** Those that it may pass on to a caller, beside them. */
const PASSED = [...READ, "content-disposition", "content-encoding", "content-range", "accept-ranges", "etag", "last-modified"];

function call(method, url, headers, body, signal) {
  // A GET with a body, even an empty one, is refused by fetch.
  return fetch(url, { method, headers, body: body.length > 0 ? body : undefined, redirect: "manual", signal });
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

/** A whole answer of a provider. */
class Answer {
  constructor(head, body) {
    this.head = head;
    this.body = body;
  }
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
    this.ended = Promise.resolve(flow)
      // Caller gone or provider dead: a dead provider gives its own error to the other half.
      .catch(() => upstream.stop("gone"))
      .then(() => {
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
      if ((this.silent += tick) >= idle) upstream.stop("idle");
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
    if (this.writer.desiredSize <= 0) this.full = written;
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
