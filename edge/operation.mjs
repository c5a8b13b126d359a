// What the core waits for: operations of JavaScript's.
//
// A function that the core calls begins one and gives its number; when it is done the core is told by
// that number. Numbers are never given twice, not even to another instance of the wasm, so that what was
// begun for an instance that is gone tells the next one nothing.

/** What is said of a call that took too long; `glue.rs` knows it. */
const LATE = "late";

/** A whole answer of a provider. */
export class Answer {
  constructor(head, body) {
    this.head = head;
    this.body = body;
  }
}

/** The core in a living instance. */
export let core;

/** Names the function that gives the core in a living instance. */
export function connect(living) {
  core = living;
}

let begun = 0;

/** An operation that ends as `promise` does: with bytes, with text, with an answer or with nothing. */
export function operation(promise) {
  const number = begin();
  promise.then(
    (value) => finish(number, value),
    (error) => core().failed(number, error?.name === "TimeoutError" ? LATE : String(error?.message ?? error)),
  );
  return number;
}

/** The number of an operation whose end is told by hand. */
export function begin() {
  return (begun = (begun + 1) >>> 0);
}

function finish(number, value) {
  if (value instanceof Answer) core().answered(number, value.head, value.body);
  else if (value instanceof ArrayBuffer) core().brought(number, new Uint8Array(value));
  else if (value instanceof Uint8Array) core().brought(number, value);
  else if (typeof value === "string") core().told(number, value);
  else core().done(number);
}
