// What the Worker needs of JavaScript's own beside calls to providers: timers, randomness, the caller's
// request and its answer, calls of a tenant's object. Imported by the wasm; no policy in here.

import { waitUntil } from "cloudflare:workers";
import * as signatures from "./crypto.mjs";
import { collect, fields, values } from "./http.mjs";
import { begin, core, operation } from "./operation.mjs";

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

/** Whether a signature is good: told as `yes` or `no`. What lies in the wasm's memory stays there. */
export function verify(algorithm, jwk, message, signature) {
  const good = signatures.verify(algorithm, jwk, message.slice(), signature.slice());
  return operation(good.then((good) => (good ? "yes" : "no")));
}

/** Signs with Ed25519. */
export function sign(seed, message) {
  return operation(signatures.sign(seed.slice(), message.slice()));
}

/** Signs with RSA and SHA-256. */
export function signRs256(key, message) {
  return operation(signatures.signRs256(key.slice(), message.slice()));
}

/** The public half of a seed's key pair, in base64url. */
export function publicKey(seed) {
  return operation(signatures.publicKey(seed.slice()));
}

/** Encrypts or decrypts. */
export function cipher(direction, key, nonce, about, bytes) {
  return operation(signatures.cipher(direction, key.slice(), nonce.slice(), about.slice(), bytes.slice()));
}

/** A binding as text: a string as it is, a JSON object as its JSON; of `NAME.method` the method's name, if it can be called. */
export function binding(env, name) {
  const [object, method] = name.split(".");
  if (method) return typeof env[object]?.[method] === "function" ? method : undefined;
  const value = env[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The text that is stored under a name, or nothing: KV. */
export function stored(env, name) {
  return operation(texts(env, (kv) => kv.get(name)));
}

/** Stores a text. */
export function store(env, name, text) {
  return operation(texts(env, (kv) => kv.put(name, text)));
}

/** Every text that is stored under a name that begins so, as a list in JSON. */
export function allStored(env, prefix) {
  return operation(texts(env, (kv) => all(kv, prefix).then(JSON.stringify)));
}

async function texts(env, question) {
  if (!env.CONFIG) throw new Error("the binding CONFIG is missing");
  return question(env.CONFIG);
}

async function all(kv, prefix) {
  const found = [];
  for (let cursor, done = false; !done; ) {
    const page = await kv.list({ prefix, cursor });
    for (const { name } of page.keys) found.push(await kv.get(name));
    ({ cursor, list_complete: done } = page);
  }
  // Listed and gone meanwhile is none.
  return found.filter((text) => text !== null);
}

/** Writes an object of the archive: R2. */
export function putObject(env, name, text) {
  return operation(env.ARCHIVE.put(name, text, { httpMetadata: { contentType: "application/x-ndjson" } }));
}

const objects = new Map();
const OBJECT_TIMEOUT_MS = 10_000;

/** Calls a tenant's object: a turn in, replies out, both JSON. */
export function tenant(env, name, turn) {
  return operation(ask(env, name, (object) => object.perform(turn)));
}

/** Asks the object of a shelf of records, JSON in and out. A shelf `@name` stands in the tenant of that name. */
export function shelf(env, name, question) {
  const object = name.startsWith("@") ? name.slice(1) : `shelf/${name}`;
  return operation(ask(env, object, (object) => object.records(question)));
}

/** It may hang (a panic in it does), so there is a limit to waiting. */
async function ask(env, name, question) {
  let id = objects.get(name);
  if (id === undefined) objects.set(name, (id = env.TENANT.idFromName(name)));
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the object does not answer")), OBJECT_TIMEOUT_MS);
  });
  try {
    // A stub belongs to the request that made it, an id does not.
    return await Promise.race([question(env.TENANT.get(id)), late]);
  } finally {
    clearTimeout(timer);
  }
}
