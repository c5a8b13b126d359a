//! Published signature vectors, on both packages' verifiers: `ring`, and WebCrypto through the Worker's own module, in Node
//! and inside workerd.
//!
//! Google's Wycheproof for JWS, JWK, Ed25519, ECDSA and RSA, read in place (`$SIGNALBOX_SHARED`, else `../shared` beside
//! the repository); without that folder the tests say so and pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use signalbox::base64url;
use signalbox::jose::set::Choice;
use signalbox::jose::{Algorithm, Jwk, Jws, KeySet, PublicKey, object};
use signalbox::ports::RsaKey;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A signature to check, and what is right.
struct Check {
    name: String,
    algorithm: Algorithm,
    key: PublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
    valid: bool,
}

fn vectors(file: &str) -> Option<Value> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SIGNALBOX_SHARED").map_or(beside, PathBuf::from).join("security/vectors");
    let text = std::fs::read_to_string(folder.join(file)).ok();
    if text.is_none() {
        println!("skipped: no {file} below {}", folder.display());
    }
    text.map(|text| serde_json::from_str(&text).unwrap())
}

fn tests(document: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = document["testGroups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["tests"].as_array().unwrap().iter().map(move |test| (group, test)))
}

fn hex(text: &Value) -> Vec<u8> {
    let digits: Vec<u8> = text.as_str().unwrap().bytes().map(|b| (b as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// As a verifier is asked: signatures of another length do not get that far.
fn by_ring(check: &Check) -> bool {
    check.key.suits(check.algorithm)
        && check.signature.len() == check.key.signature_bytes()
        && signalbox_crypto::verify(&check.key, check.algorithm, &check.message, &check.signature)
}

/// The same through `edge/crypto.mjs`; `None` without Node.
fn by_webcrypto(checks: &[Check]) -> Option<Vec<bool>> {
    let script = "
        import { readFileSync } from 'node:fs';
        const { verify } = await import(process.argv[1]);
        const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64url'));
        const good = [];
        for (const [algorithm, jwk, message, signature] of JSON.parse(readFileSync(0, 'utf8')))
            good.push(await verify(algorithm, jwk, bytes(message), bytes(signature)));
        console.log(JSON.stringify(good));";
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../edge/crypto.mjs");
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--no-warnings", "-e", script]).arg(module);
    judged(node, checks)
}

/// The same inside workerd, where it ships; `None` without Node or miniflare.
fn by_workerd(checks: &[Check]) -> Option<Vec<bool>> {
    let mut node = Command::new("node");
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/verify_on_workerd.mjs"));
    judged(node, checks)
}

/// What a program says of these checks.
fn judged(mut program: Command, checks: &[Check]) -> Option<Vec<bool>> {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let b64 = |bytes: &[u8]| base64url::encode(bytes);
    let asked: Vec<Value> = checks
        .iter()
        .map(|check| json!([check.algorithm.as_str(), check.key.jwk(), b64(&check.message), b64(&check.signature)]))
        .collect();
    let number = ASKED.fetch_add(1, Ordering::Relaxed);
    let input = std::env::temp_dir().join(format!("signalbox-signatures-{}-{number}", std::process::id()));
    std::fs::write(&input, json!(asked).to_string()).unwrap();
    let output = program.stdin(std::fs::File::open(&input).unwrap()).stdout(Stdio::piped()).output();
    std::fs::remove_file(&input).unwrap();
    match output {
        Ok(output) if output.status.success() => Some(serde_json::from_slice(&output.stdout).unwrap()),
        Ok(output) if output.status.code() == Some(3) => {
            println!("skipped: no miniflare, see edge/package.json");
            None
        }
        Ok(output) => panic!("node: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            println!("skipped: no node");
            None
        }
    }
}

#[track_caller]
fn hold(checks: &[Check]) {
    assert!(checks.iter().any(|check| check.valid) && checks.iter().any(|check| !check.valid));
    let wrong = |good: &dyn Fn(usize) -> bool| -> Vec<&str> {
        let wrong = checks.iter().enumerate().filter(|(i, check)| good(*i) != check.valid);
        wrong.map(|(_, check)| check.name.as_str()).collect()
    };
    assert_eq!(wrong(&|i| by_ring(&checks[i])), Vec::<&str>::new(), "ring");
    if let Some(good) = by_webcrypto(checks) {
        let lengths = |i: usize| checks[i].signature.len() == checks[i].key.signature_bytes();
        assert_eq!(wrong(&|i| good[i] && lengths(i)), Vec::<&str>::new(), "WebCrypto");
    }
    if let Some(good) = by_workerd(checks) {
        let lengths = |i: usize| checks[i].signature.len() == checks[i].key.signature_bytes();
        assert_eq!(wrong(&|i| good[i] && lengths(i)), Vec::<&str>::new(), "workerd");
    }
}

/// Whether a token is good under a shared secret. No issuer may use one; what is held to here is how a token is read.
fn hs256(token: &str, key: &Value) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { return false };
    let bytes = |part: &str| base64url::decode(part);
    let (Some(header_bytes), Some(_), Some(signature)) = (bytes(header), bytes(payload), bytes(signature)) else {
        return false;
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(&bytes(key["k"].as_str().unwrap()).unwrap()).unwrap();
    mac.update(format!("{header}.{payload}").as_bytes());
    object(&header_bytes).is_some_and(|header| header.get("alg").is_some_and(|alg| alg == "HS256"))
        && mac.verify_slice(&signature).is_ok()
}

/// `EXCEPTIONS.md` beside the vectors says why of each: (test, what is right; `None`: nothing to be said).
const EXCEPTIONS: [(u64, Option<bool>); 8] = [
    (367, None),
    (370, None),
    (372, Some(false)),
    (373, Some(false)),
    (346, Some(false)),
    (350, Some(false)),
    (347, Some(false)),
    (351, Some(false)),
];

#[test]
fn fault_5_wycheproofs_jws_are_judged_as_they_should_be() {
    let Some(document) = vectors("json_web_signature_test.json") else { return };
    let (mut checks, mut wrong, mut judged) = (Vec::new(), Vec::new(), 0);
    for (group, test) in tests(&document) {
        let number = test["tcId"].as_u64().unwrap();
        let stated = test["result"] == "valid";
        let valid = match EXCEPTIONS.iter().find(|(id, _)| *id == number) {
            Some((_, None)) => continue,
            Some((_, Some(valid))) => *valid,
            None => stated,
        };
        judged += usize::from(valid == stated);
        let name = format!("tc{number} {}", test["comment"]);
        let token = test["jws"].as_str().unwrap_or_default();
        let key = if group["public"].is_object() { &group["public"] } else { &group["private"] };
        if key["kty"] == "oct" {
            if hs256(token, key) != valid {
                wrong.push(name);
            }
            continue;
        }
        let jwk = Jwk::read(key.as_object().unwrap());
        match (Jws::parse(token), jwk) {
            (Some(jws), Some(jwk)) if jwk.suits(jws.algorithm) => checks.push(Check {
                name,
                algorithm: jws.algorithm,
                key: jwk.key,
                message: jws.signed.to_vec(),
                signature: jws.signature,
                valid,
            }),
            // Refused before any signature is looked at.
            (Some(_) | None, Some(_) | None) => {
                if valid {
                    wrong.push(name);
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(judged, 393);
    hold(&checks);
}

#[test]
fn fault_5_wycheproofs_jwks_are_judged_as_they_should_be() {
    let Some(document) = vectors("json_web_key_test.json") else { return };
    let (mut checks, mut wrong) = (Vec::new(), Vec::new());
    for (group, test) in tests(&document) {
        let name = format!("tc{} {}", test["tcId"], test["comment"]);
        let token = test["jws"].as_str().unwrap();
        let keys = if group["public"].is_object() { &group["public"] } else { &group["private"] };
        let set = KeySet::read(keys.to_string().as_bytes()).unwrap();
        let valid = test["result"] == "valid";
        let Some(jws) = Jws::parse(token) else {
            // Four are valid under a shared secret, which no issuer may use.
            let symmetric = token.starts_with(&base64url::encode(br#"{"alg":"H"#));
            if valid && !symmetric {
                wrong.push(name);
            }
            continue;
        };
        match set.choose(jws.kid.as_deref(), jws.algorithm) {
            Choice::Key(jwk) => checks.push(Check {
                name,
                algorithm: jws.algorithm,
                key: jwk.key.clone(),
                message: jws.signed.to_vec(),
                signature: jws.signature,
                valid,
            }),
            Choice::Unknown | Choice::Unfit => {
                if valid {
                    wrong.push(name);
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    hold(&checks);
}

#[test]
fn wycheproofs_plain_signatures_are_judged_as_they_should_be() {
    for (file, algorithm, acceptable) in [
        ("ed25519_test.json", Algorithm::EdDsa, false),
        ("ecdsa_secp256r1_sha256_p1363_test.json", Algorithm::Es256, false),
        ("rsa_signature_2048_sha256_test.json", Algorithm::Rs256, false),
        ("rsa_pss_2048_sha256_mgf1_32_test.json", Algorithm::Ps256, true),
    ] {
        let Some(document) = vectors(file) else { return };
        let checks: Vec<Check> = tests(&document)
            .filter(|(_, test)| test["result"] != "acceptable" || acceptable)
            .filter_map(|(group, test)| {
                let name = format!("{file} tc{} {}", test["tcId"], test["comment"]);
                let key = key(group)?;
                let valid = test["result"] == "valid" || test["result"] == "acceptable";
                let (message, signature) = (hex(&test["msg"]), hex(&test["sig"]));
                Some(Check { name, algorithm, key, message, signature, valid })
            })
            .collect();
        hold(&checks);
    }
}

/// A group's key, as a JWK reads it.
fn key(group: &Value) -> Option<PublicKey> {
    let public = &group["publicKey"];
    let number =
        |name: &str| base64url::encode(&hex(&public[name]).into_iter().skip_while(|b| *b == 0).collect::<Vec<_>>());
    let coordinate = |name: &str| {
        let bytes: Vec<u8> = hex(&public[name]).into_iter().skip_while(|b| *b == 0).collect();
        base64url::encode(&[vec![0; 32 - bytes.len()], bytes].concat())
    };
    let jwk = if public["pk"].is_string() {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&hex(&public["pk"])) })
    } else if public["wx"].is_string() {
        json!({ "kty": "EC", "crv": "P-256", "x": coordinate("wx"), "y": coordinate("wy") })
    } else {
        json!({ "kty": "RSA", "n": number("modulus"), "e": number("publicExponent") })
    };
    Jwk::read(jwk.as_object().unwrap()).map(|jwk| jwk.key)
}

/// The signature is deterministic (RFC 8017, section 8.2), so two implementations must agree on every byte.
#[test]
fn a_service_accounts_key_signs_the_same_on_both_packages() {
    let script = "
        import { generateKeyPairSync } from 'node:crypto';
        const { signRs256 } = await import(process.argv[1]);
        const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
        const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
        const signature = await signRs256(new Uint8Array(pkcs8), new TextEncoder().encode('a.b'));
        const text = (bytes) => Buffer.from(bytes).toString('base64url');
        console.log(JSON.stringify([text(pkcs8), text(signature), publicKey.export({ format: 'jwk' })]));";
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../edge/crypto.mjs");
    let node = Command::new("node").args(["--input-type=module", "--no-warnings", "-e", script]).arg(module).output();
    let Ok(output) = node else { return println!("skipped: no node") };
    assert!(output.status.success(), "node: {}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = |part: &Value| base64url::decode(part.as_str().unwrap()).unwrap();
    let key = RsaKey::new(bytes(&made[0]));
    let signature = signalbox_crypto::sign_rs256(&key, b"a.b").unwrap();
    assert_eq!(signature, bytes(&made[1]), "ring and WebCrypto differ");
    let public = Jwk::read(made[2].as_object().unwrap()).unwrap().key;
    assert!(signalbox_crypto::verify(&public, Algorithm::Rs256, b"a.b", &signature));
    assert_eq!(signalbox_crypto::sign_rs256(&RsaKey::new(vec![1, 2, 3]), b"a.b"), None);
}
