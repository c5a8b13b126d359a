// Headers and bodies on their way across to the wasm: as few crossings as can be.

/** `name\nvalue\nname\nvalue` as an object: one crossing for all headers. */
export function fields(lines) {
  const object = {};
  const parts = lines.split("\n");
  for (let at = 0; at + 1 < parts.length; at += 2) {
    // A name that comes twice (set-cookie) does not fit into one.
    if (parts[at] in object) return repeated(parts);
    object[parts[at]] = parts[at + 1];
  }
  return object;
}

function repeated(parts) {
  const headers = new Headers();
  for (let at = 0; at + 1 < parts.length; at += 2) headers.append(parts[at], parts[at + 1]);
  return headers;
}

/** The named headers, a line each, empty where there is none. */
export function values(headers, names) {
  let lines = "";
  for (const name of names) lines += `\n${headers.get(name) ?? ""}`;
  return lines;
}

/** A body of unknown length, so that an endless one is left off in time; nothing if it is larger than `limit`. */
export async function collect(body, limit) {
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
