// Hands an upstream's stream to the caller without touching its chunks, and still tells the core every byte of it.
//
// The body is split in two. One branch flows to the caller inside the runtime; no JavaScript runs for its chunks.
// The other is read for the first bytes, then on a slow tick, then to its end when the first is done: meanwhile its
// bytes wait in the runtime. Mind: a pending read for *many* bytes on it would hold the caller back.
const PIECE = 65536; // the most bytes one read returns

export class Relay {
  #callers; // the caller's branch
  #mine; // reader of the other branch
  #upstream; // AbortController of the upstream's fetch
  #sink;
  #ended = false;
  #reading; // the read in progress, if any
  #early = []; // what was read before there was a sink

  constructor(body, upstream) {
    const [callers, mine] = body.tee();
    this.#callers = callers;
    this.#mine = mine.getReader({ mode: "byob" });
    this.#upstream = upstream;
  }

  /** The next bytes, any number of them, null at the end. The caller has seen nothing yet. */
  async peek() {
    return (await this.#read()) ? this.#early.at(-1) : null;
  }

  /**
   * Lets the stream flow and returns the caller's body.
   *
   * `sink.take(bytes)` gets everything from the first byte on. Then `sink.finish(cause)` is called once; what it resolves
   * to, if anything, are the caller's last bytes. Causes: "complete" (the upstream ended its stream), "broken" (its
   * connection died), "idle" (it said nothing for `idleMs`, give or take a tick), "gone" (the caller left).
   */
  start(ctx, request, sink, tickMs, idleMs) {
    this.#sink = sink;
    for (const bytes of this.#early) this.#give(bytes);
    const through = new IdentityTransformStream();
    const piped = this.#callers.pipeTo(through.writable, { preventClose: true, preventAbort: true });
    ctx.waitUntil(this.#follow(piped, through.writable, request.signal, tickMs, idleMs));
    return through.readable;
  }

  async #follow(piped, writable, signal, tickMs, idleMs) {
    let stopped; // by us, and why
    const stop = (cause) => {
      stopped ??= cause;
      this.#upstream.abort(new Error(stopped));
    };
    signal?.addEventListener("abort", () => stop("gone"));
    let silentMs = 0;
    const ticker = setInterval(() => {
      silentMs = this.#reading ? silentMs + tickMs : 0;
      if (silentMs >= idleMs) stop("idle");
      else if (!this.#reading) this.#drain(PIECE).catch(() => {}); // it fails again below
    }, tickMs);

    await piped.catch(() => stop("gone")); // or the upstream broke: its branch tells
    clearInterval(ticker);
    let cause = "complete";
    await this.#drain(0).catch((error) => (cause = error.message === stopped ? stopped : "broken"));

    const writer = writable.getWriter();
    try {
      const last = await this.#sink.finish(cause);
      if (last) await writer.write(last);
    } catch (error) {
      if (cause !== "gone") console.error("a stream's end failed:", String(error));
    }
    await writer.close().catch(() => {});
  }

  /** Reads on until the end, or until a read brings less than `enough` bytes: then nothing more is waiting. */
  async #drain(enough) {
    for (;;) {
      const count = await (this.#reading ?? this.#read());
      if (this.#ended || count < enough) return;
    }
  }

  /** One read; resolves to the number of bytes it brought. A failed one stays in `#reading`, for whoever asks next. */
  #read() {
    this.#reading = this.#mine.read(new Uint8Array(PIECE)).then(({ value, done }) => {
      this.#reading = undefined;
      this.#ended = done;
      if (value?.byteLength) this.#give(value);
      return value?.byteLength ?? 0;
    });
    return this.#reading;
  }

  #give(bytes) {
    if (!this.#sink) this.#early.push(bytes);
    else this.#sink.take(bytes);
  }
}
