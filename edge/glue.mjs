// What the Worker needs of JavaScript's own: calls whose body flows past the wasm natively, answers
// from one string of headers, calls of a tenant's object. Imported by the wasm; no policy in here.

import { waitUntil } from "cloudflare:workers";

export { waitUntil };

const PIECE = 64 * 1024;

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

/** An answer; `body` is bytes, a stream or nothing. */
export function respond(status, headers, body) {
  return new Response(body, { status, headers: fields(headers) });
}

/** Headers of a request that the core may ask for, one crossing for all: a line each, empty where there is none. */
export function headers(request, names) {
  return names.split("\n").map((name) => request.headers.get(name) ?? "").join("\n");
}

/** A binding as text: a string as it is, a JSON object as its JSON. */
export function binding(env, name) {
  const value = env[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Resolves when the caller has gone, as far as this runtime tells. */
export function gone(request) {
  return new Promise((resolve) => request.signal?.addEventListener("abort", () => resolve()));
}

const objects = new Map();
const OBJECT_TIMEOUT_MS = 10_000;

/** Calls a tenant's object. It may hang (a panic in it does), so there is a limit to waiting. */
export async function tenant(env, name, commands) {
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

/** One call to a provider. */
export class Upstream {
  abort = new AbortController();
  /** Why we ended the call ourselves, if we did. */
  stopped;

  /** Sends the call; resolves with the status once the head of the answer is there. */
  async send(url, headers, body, forward) {
    const response = await fetch(url, {
      method: "POST",
      headers: fields(headers),
      body,
      redirect: "manual",
      signal: this.abort.signal,
    });
    this.response = response;
    this.watched = response.body;
    if (forward && response.ok && response.body) [this.forwarded, this.watched] = response.body.tee();
    return response.status;
  }

  header(name) {
    return this.response.headers.get(name) ?? undefined;
  }

  /** The whole body, whose length is known and small. */
  async whole() {
    return new Uint8Array(await this.response.arrayBuffer());
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
    this.ended = upstream.forwarded
      .pipeTo(writable, { preventClose: true, preventAbort: true })
      // Caller gone or provider dead: a dead provider gives its own error to the other half.
      .catch(() => upstream.stop("gone"))
      .then(() => {
        this.over = true;
      });
  }

  /** The next bytes that passed, or at last the reason there are no more: end, cut, gone, idle, total. */
  async next() {
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
  async close(last) {
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
  async next() {
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
    const written = this.writer.write(bytes).catch(() => this.upstream.stop("gone"));
    if (this.writer.desiredSize <= 0) this.full = written;
  }

  /** Sends the caller what is left to say, if anything, and ends the answer. */
  async close(last) {
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
