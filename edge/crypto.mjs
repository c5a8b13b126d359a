// Signatures and encryption by WebCrypto: what `ports::Crypto` asks for. Free of the platform's own modules, so that the tests run the
// vectors on this very file in Node.

const rsa = (name, bits) => ({ key: { name, hash: `SHA-${bits}` }, use: { name, saltLength: bits / 8 } });
const ecdsa = (namedCurve, bits) => ({
  key: { name: "ECDSA", namedCurve },
  use: { name: "ECDSA", hash: `SHA-${bits}` },
});

const ED25519 = { name: "Ed25519" };
const SCHEMES = {
  RS256: rsa("RSASSA-PKCS1-v1_5", 256),
  RS384: rsa("RSASSA-PKCS1-v1_5", 384),
  RS512: rsa("RSASSA-PKCS1-v1_5", 512),
  PS256: rsa("RSA-PSS", 256),
  PS384: rsa("RSA-PSS", 384),
  PS512: rsa("RSA-PSS", 512),
  ES256: ecdsa("P-256", 256),
  ES384: ecdsa("P-384", 384),
  EdDSA: { key: ED25519, use: ED25519 },
};

/** Imported keys by what they are. A key costs more to import than a signature to check. */
const imported = new Map();
const MOST_IMPORTED = 128;

async function key(algorithm, jwk) {
  const name = `${algorithm} ${jwk}`;
  let found = imported.get(name);
  if (found === undefined) {
    found = await crypto.subtle.importKey("jwk", JSON.parse(jwk), SCHEMES[algorithm].key, false, ["verify"]);
    if (imported.size >= MOST_IMPORTED) imported.clear();
    imported.set(name, found);
  }
  return found;
}

/** Whether a signature is good. Whatever speaks against it, a key that is none among it, makes it not good. */
export async function verify(algorithm, jwk, message, signature) {
  try {
    return await crypto.subtle.verify(SCHEMES[algorithm].use, await key(algorithm, jwk), signature, message);
  } catch {
    return false;
  }
}

/** RFC 8410: what stands before the seed in a private key's PKCS #8. */
const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

const pair = (seed, extractable) =>
  crypto.subtle.importKey("pkcs8", new Uint8Array([...PKCS8, ...seed]), ED25519, extractable, ["sign"]);

/** Signs with Ed25519. */
export async function sign(seed, message) {
  return crypto.subtle.sign(ED25519, await pair(seed, false), message);
}

/** Signs with RSA, PKCS #1 v1.5 and SHA-256; the key is a pair in PKCS #8. */
export async function signRs256(pkcs8, message) {
  const { key, use } = SCHEMES.RS256;
  return crypto.subtle.sign(use, await crypto.subtle.importKey("pkcs8", pkcs8, key, false, ["sign"]), message);
}

/** The public half of a seed's key pair, as JWKs spell it: base64url. */
export async function publicKey(seed) {
  const { x } = await crypto.subtle.exportKey("jwk", await pair(seed, true));
  return x;
}

/** Encrypts or decrypts with AES-256-GCM, the tag behind the text. What was not encrypted so rejects. */
export async function cipher(direction, key, nonce, about, bytes) {
  const imported = await crypto.subtle.importKey("raw", key, "AES-GCM", false, [direction]);
  return crypto.subtle[direction]({ name: "AES-GCM", iv: nonce, additionalData: about }, imported, bytes);
}
