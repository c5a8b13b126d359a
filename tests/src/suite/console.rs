//! People who sign in to the console, on any level: an identity provider that is scripts of the simulator, and a browser
//! that is two cookies.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use signalbox::base64url;
use signalbox::http::{form, query_parameter};

use super::document::{ADMIN_KEY, Names};
use super::level::{Answer, Call, Level};
use super::token::{Token, jwk};
use crate::simulator::Script;

/// Where the gateway believes to be.
pub const PUBLIC_URL: &str = "https://llm.example.test";
const CLIENT: &str = "signalbox-console";

/// A sign-in that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The browser's ticket, as it sends it.
    pub cookie: String,
    /// `state`.
    pub state: String,
    /// `nonce`.
    pub nonce: String,
    /// `code_challenge`.
    pub challenge: String,
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The session, as it sends it.
    pub cookie: String,
    /// What it must send with what changes something.
    pub csrf_token: String,
}

/// The identity provider's name for itself.
pub fn issuer<L: Level>(level: &L) -> String {
    issuer_at(&level.upstream_url())
}

fn issuer_at(upstream: &str) -> String {
    format!("{upstream}/__use/login")
}

/// The configuration of a gateway that lets its people in.
pub fn document(upstream: &str) -> Value {
    let claims = json!({ "roles": "roles" });
    json!({ "auth": {
        "public_url": PUBLIC_URL,
        "idp": { "corp": { "issuer": issuer_at(upstream), "audience": "signalbox", "algorithms": ["EdDSA"], "claims": claims } },
        "console": { "idp": "corp", "client_id": CLIENT },
    } })
}

fn register<L: Level>(level: &L, name: &str, body: Value) -> Result<(), String> {
    let script = Script::json(200, body);
    level.upstream().register(name, vec![script.into()])
}

/// A request of a browser's.
///
/// # Errors
/// There was no answer.
pub async fn ask<L: Level>(level: &L, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    level.call(Call { method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new(), leave: None }).await
}

/// Sets the identity provider up, and the gateway to let its people in.
///
/// # Errors
/// The gateway refuses the configuration.
pub async fn prepare<L: Level>(level: &L) -> Result<(), String> {
    let (issuer, upstream) = (issuer(level), level.upstream_url());
    let description = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{upstream}/__use/page/authorize"),
        "token_endpoint": format!("{upstream}/__use/redeem/token"),
        "jwks_uri": format!("{upstream}/__use/keys/keys"),
        "authorization_response_iss_parameter_supported": true,
    });
    register(level, "login", description)?;
    register(level, "keys", json!({ "keys": [jwk("a")] }))?;
    let call = Call {
        method: "PUT".to_owned(),
        path: "/admin/v1/config".to_owned(),
        headers: vec![("authorization".to_owned(), format!("Bearer {ADMIN_KEY}"))],
        body: document(&upstream).to_string().into_bytes(),
        leave: None,
    };
    let answer = level.call(call).await?;
    if answer.status == 200 { Ok(()) } else { Err(String::from_utf8_lossy(&answer.body).into_owned()) }
}

/// A cookie that an answer sets, as the browser sends it back.
pub fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get("set-cookie")?;
    let rest = all.get(all.find(&format!("{name}="))?..)?;
    rest.split(';').next().map(str::to_owned)
}

/// Begins a sign-in.
///
/// # Errors
/// The answer is not as it should be.
pub async fn begin<L: Level>(level: &L) -> Result<Begun, String> {
    let answer = ask(level, "GET", "/console/login", &[]).await?;
    let place = answer.headers.get("location").cloned().unwrap_or_default();
    let (page, query) = place.split_once('?').unwrap_or_default();
    let parameter = |name: &str| query_parameter(query, name).unwrap_or_default();
    let right = answer.status == 303
        && page == format!("{}/__use/page/authorize", level.upstream_url())
        && parameter("response_type") == "code"
        && parameter("client_id") == CLIENT
        && parameter("redirect_uri") == format!("{PUBLIC_URL}/console/callback")
        && parameter("scope") == "openid profile email"
        && parameter("code_challenge_method") == "S256";
    let cookie = cookie(&answer, "__Host-signalbox-sign-in").filter(|_| right);
    let cookie = cookie.ok_or_else(|| format!("the sign-in begins with {} {:?}", answer.status, answer.headers))?;
    let (state, nonce) = (parameter("state"), parameter("nonce"));
    Ok(Begun { cookie, state, nonce, challenge: parameter("code_challenge") })
}

/// What the identity provider gives for a code: an id token with these claims over good ones, in a header over a good one.
///
/// # Errors
/// It cannot be made.
pub fn redeem<L: Level>(level: &L, begun: &Begun, claims: &Value, header: &Value) -> Result<(), String> {
    let mut all = json!({
        "iss": issuer(level), "aud": CLIENT, "sub": "ada", "nonce": begun.nonce, "exp": "now+300", "iat": "now+0",
    });
    super::document::lay_over(&mut all, claims);
    let mut head = json!({ "typ": "JWT" });
    super::document::lay_over(&mut head, header);
    let token: Token =
        serde_json::from_value(json!({ "header": head, "claims": all })).map_err(|error| error.to_string())?;
    let id_token = token.sign(level.utc_ms() / 1_000, &Names::default());
    register(level, "redeem", json!({ "access_token": "x", "token_type": "Bearer", "id_token": id_token }))
}

/// The browser comes back from the identity provider.
///
/// # Errors
/// There was no answer.
pub async fn come_back<L: Level>(level: &L, cookie: Option<&str>, query: &[(&str, &str)]) -> Result<Answer, String> {
    let headers: Vec<(&str, &str)> = cookie.map(|cookie| ("cookie", cookie)).into_iter().collect();
    ask(level, "GET", &format!("/console/callback?{}", form(query)), &headers).await
}

/// Somebody with these roles signs in.
///
/// # Errors
/// They are not let in.
pub async fn sign_in<L: Level>(level: &L, subject: &str, roles: &Value) -> Result<Browser, String> {
    let begun = begin(level).await?;
    redeem(level, &begun, &json!({ "sub": subject, "roles": roles }), &json!({}))?;
    level.upstream().clear_log(None);
    let query = [("code", "the-code"), ("state", begun.state.as_str()), ("iss", &issuer(level))];
    let answer = come_back(level, Some(&begun.cookie), &query).await?;
    let place = answer.headers.get("location").map(String::as_str);
    if answer.status != 303 || place != Some(&format!("{PUBLIC_URL}/console/")) {
        return Err(format!("not let in: {} {}", answer.status, String::from_utf8_lossy(&answer.body)));
    }
    let set = answer.headers.get("set-cookie").cloned().unwrap_or_default();
    for wanted in ["Path=/;", "Secure;", "HttpOnly;", "SameSite=Lax"] {
        if !set.contains(wanted) {
            return Err(format!("the cookie lacks {wanted} {set}"));
        }
    }
    let seen = level.upstream().seen(None);
    let redeemed = seen.iter().find(|seen| seen.path.ends_with("/token")).map(|seen| seen.body.clone());
    let redeemed = redeemed.unwrap_or_default();
    let verifier = query_parameter(&redeemed, "code_verifier").unwrap_or_default();
    if base64url::encode(&Sha256::digest(verifier.as_bytes())) != begun.challenge || !redeemed.contains("code=the-code")
    {
        return Err(format!("the code was redeemed with {redeemed}"));
    }
    let cookie = cookie(&answer, "__Host-signalbox-session").ok_or("there is no session")?;
    let answer = ask(level, "GET", "/console/session", &[("cookie", &cookie)]).await?;
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let csrf_token = told.get("csrf_token").and_then(Value::as_str).map(str::to_owned);
    let csrf_token = csrf_token.ok_or_else(|| format!("the session tells {told}"))?;
    Ok(Browser { cookie, csrf_token })
}

/// What holds on every level: somebody signs in, does what their role opens and nothing that another site sent, and signs
/// out. Empty: all is well.
pub async fn holds<L: Level>(level: &L) -> Vec<String> {
    tried(level).await.unwrap_or_else(|problem| vec![problem])
}

async fn tried<L: Level>(level: &L) -> Result<Vec<String>, String> {
    prepare(level).await?;
    let browser = sign_in(level, "ada", &json!(["auditor", "member"])).await?;
    let (cookie, csrf) = (("cookie", browser.cookie.as_str()), ("x-signalbox-csrf", browser.csrf_token.as_str()));
    let (ours, theirs) = (("origin", PUBLIC_URL), ("origin", "https://evil.example"));
    let here = ("sec-fetch-site", "same-origin");
    let validate = "/admin/v1/config/validate";
    let mut problems = Vec::new();
    // Whoever is let through to the validation is told that there is no document.
    for (method, path, headers, status) in [
        ("GET", "/console/session", vec![cookie], 200),
        ("GET", "/console/session", vec![cookie, ("sec-fetch-site", "cross-site")], 403),
        ("GET", "/console/session", vec![], 401),
        ("GET", "/console/", vec![cookie], 200),
        ("GET", "/admin/v1/config", vec![cookie], 200),
        ("GET", "/admin/v1/users", vec![cookie], 403),
        ("GET", "/admin/v1/config", vec![cookie, theirs], 403),
        ("GET", "/admin/v1/config", vec![cookie, ("authorization", "Bearer sk-sb-unknown")], 401),
        ("POST", validate, vec![cookie, csrf, ours, here], 400),
        ("POST", validate, vec![cookie, csrf, here], 400),
        ("POST", validate, vec![cookie, csrf], 403),
        ("POST", validate, vec![cookie, ours, here], 403),
        ("POST", validate, vec![cookie, ("x-signalbox-csrf", "guessed"), ours, here], 403),
        ("POST", validate, vec![cookie, csrf, theirs], 403),
        ("POST", validate, vec![cookie, csrf, ours, ("sec-fetch-site", "same-site")], 403),
        ("GET", "/v1/models", vec![cookie], 401),
        ("POST", "/console/login", vec![], 405),
        ("POST", "/console/logout", vec![cookie], 403),
        ("POST", "/console/logout", vec![cookie, csrf, ours], 204),
        ("GET", "/console/session", vec![cookie], 401),
        ("GET", "/admin/v1/config", vec![cookie], 401),
        ("GET", "/console/", vec![cookie], 200),
    ] {
        let answer = ask(level, method, path, &headers).await?;
        if answer.status != status {
            let body = String::from_utf8_lossy(&answer.body);
            problems.push(format!("{method} {path} {headers:?}: {} in place of {status}: {body}", answer.status));
        }
    }
    Ok(problems)
}
