//! The console's door: sign-in, sign-out, who is signed in, and a page that says so.
//!
//! The browser holds two cookies, both for this host alone (`__Host-`), out of scripts' reach and not sent by other sites'
//! forms: a ticket while somebody signs in, the session's secret afterwards.

use super::setup::Setup;
use super::{App, Inner, Standard, answer};
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::Caller;
use crate::gateway::identity::session::Session;
use crate::gateway::keys::Hasher;
use crate::http::{Head, query_parameter};
use crate::json::json;
use crate::pipeline::{self, Layers as _, Reply};
use crate::ports::{Ports, Request};
use crate::time::rfc3339;

const SESSION: &str = "__Host-signalbox-session";
const TICKET: &str = "__Host-signalbox-sign-in";
/// The largest form of a sign-out.
const MAX_FORM_BYTES: usize = 4 * 1024;
const STYLE: &str =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;color-scheme:light dark}";
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A cookie's value.
fn cookie(header: Option<&str>, name: &str) -> Option<String> {
    let pairs = header?.split([';', ',']).filter_map(|pair| pair.trim().split_once('='));
    let mut its = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    // Twice is once too often: nobody knows which one is ours.
    its.next().filter(|value| its.next().is_none() && !value.is_empty()).map(str::to_owned)
}

/// A cookie as it is set; without a value it is taken away.
fn set_cookie(head: &mut Head, name: &str, value: &str, seconds: u64) {
    head.set("set-cookie", format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"));
}

/// Whether a request is by a page of this gateway's own, as far as the browser tells. One that changes something must be
/// told to be.
fn is_ours(origin: Option<&str>, site: Option<&str>, own: &str, changes: bool) -> bool {
    let from_here = site.is_none_or(|site| site == "same-origin" || !changes && site == "none");
    from_here && origin.is_none_or(|origin| origin == own) && (!changes || origin.is_some() || site.is_some())
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host + at);
    url.get(..end).unwrap_or(url)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

fn nobody() -> ApiError {
    ApiError::new(Code::InvalidApiKey, "Nobody is signed in, or the session has ended. Sign in at /console/login.")
}

fn forged() -> ApiError {
    ApiError::new(
        Code::PermissionDenied,
        "With a session, this must be sent by the console itself, with x-signalbox-csrf as /console/session tells it.",
    )
}

/// What a session's request shows beside its cookie.
struct Shown {
    secret: Option<String>,
    origin: Option<String>,
    site: Option<String>,
    csrf: Option<String>,
}

impl Shown {
    fn of(request: &impl Request) -> Shown {
        let header = |name| request.header(name).map(str::to_owned);
        Shown {
            secret: cookie(request.header("cookie"), SESSION),
            origin: header("origin"),
            site: header("sec-fetch-site"),
            csrf: header("x-signalbox-csrf"),
        }
    }

    /// Holds the request to be our own page's.
    fn check(&self, hasher: &Hasher, session: &Session, url: &str, changes: bool) -> Result<(), ApiError> {
        let proven = !changes || self.csrf.as_deref().is_some_and(|csrf| hasher.same(csrf, &session.csrf_token));
        let ours = is_ours(self.origin.as_deref(), self.site.as_deref(), origin(url), changes);
        if proven && ours { Ok(()) } else { Err(forged()) }
    }
}

/// The person whose session a request carries, placed as every caller is. `None`: it carries none.
pub(super) async fn signed_in<P: Ports, R: Request>(
    inner: &Inner<P>,
    setup: &Setup<P>,
    request: &R,
) -> Result<Option<Caller>, ApiError> {
    let shown = Shown::of(request);
    let (Some(secret), Some(hasher)) = (shown.secret.as_deref(), &inner.hasher) else { return Ok(None) };
    let gateway = setup.pipeline.layers.gateway();
    let session = gateway.identity().session(hasher, secret).await?.ok_or_else(nobody)?;
    let changes = !matches!(request.method(), "GET" | "HEAD");
    shown.check(hasher, &session, &own_url(setup), changes)?;
    gateway.place(session.caller).await.map(Some)
}

fn own_url<P: Ports>(setup: &Setup<P>) -> String {
    setup.config.auth.public_url.as_ref().map(ToString::to_string).unwrap_or_default()
}

impl<P: Ports> App<P> {
    /// Serves a path of the console.
    pub(super) async fn console<R: Request>(&self, setup: &Setup<P>, path: &str, request: R) -> Reply<Standard<P>> {
        let is_page = !matches!(path, "/console/session" | "/console/logout");
        let done = match path {
            "/console/login" => self.login(setup).await,
            "/console/callback" => self.callback(setup, &request).await,
            "/console/session" => self.who(setup, &request).await,
            "/console/logout" => self.logout(setup, request).await,
            _ => self.page(setup, &request).await,
        };
        match done {
            Ok(reply) => reply,
            Err(error) if is_page => {
                let link = "<p><a href=\"/console/login\">Sign in</a></p>";
                let mut reply = page(&error.message, if error.code == Code::NotFound { "" } else { link });
                reply.head.status = error.code.status();
                reply
            }
            Err(error) => self.error(Dialect::OpenAiChat, &error),
        }
    }

    fn hasher(&self) -> Result<&Hasher, ApiError> {
        let sentence = "The gateway has no SIGNALBOX_SECRET. Bind one of at least 32 bytes.";
        self.inner.hasher.as_ref().ok_or_else(|| ApiError::new(Code::NotConfigured, sentence))
    }

    async fn login(&self, setup: &Setup<P>) -> Result<Reply<Standard<P>>, ApiError> {
        let (place, ticket) = setup.pipeline.layers.gateway().identity().begin(self.hasher()?).await?;
        let mut reply = redirect(place);
        set_cookie(&mut reply.head, TICKET, &ticket, 600);
        Ok(reply)
    }

    async fn callback<R: Request>(&self, setup: &Setup<P>, request: &R) -> Result<Reply<Standard<P>>, ApiError> {
        let (gateway, hasher) = (setup.pipeline.layers.gateway(), self.hasher()?);
        let ticket = cookie(request.header("cookie"), TICKET);
        let caller = gateway.identity().finish(hasher, ticket.as_deref(), request.query()).await?;
        // Whoever may not come gets no session.
        gateway.place(caller.clone()).await?;
        let before = cookie(request.header("cookie"), SESSION);
        let opened = gateway.identity().open_session(hasher, &caller, before.as_deref()).await?;
        self.note("sign_in", &caller);
        let mut reply = redirect(own_url(setup) + "/console/");
        let seconds = opened.ends_at.since(self.inner.ports.now()).0 / 1_000;
        set_cookie(&mut reply.head, SESSION, &opened.secret, seconds);
        set_cookie(&mut reply.head, TICKET, "", 0);
        Ok(reply)
    }

    async fn who<R: Request>(&self, setup: &Setup<P>, request: &R) -> Result<Reply<Standard<P>>, ApiError> {
        let (gateway, hasher, shown) = (setup.pipeline.layers.gateway(), self.hasher()?, Shown::of(request));
        let secret = shown.secret.as_deref().ok_or_else(nobody)?;
        let identity = gateway.identity();
        let mut session = identity.session(hasher, secret).await?.ok_or_else(nobody)?;
        shown.check(hasher, &session, &own_url(setup), false)?;
        let renewed = identity.renew_session(hasher, &session).await?;
        if let Some(opened) = &renewed {
            session = identity.session(hasher, &opened.secret).await?.ok_or_else(nobody)?;
        }
        let who = gateway.place(session.caller).await?;
        let mut reply = answer(
            200,
            &json!({
                "object": "session", "user": who.user, "organisation": who.organisation, "team": who.team,
                "roles": who.roles, "csrf_token": session.csrf_token, "ends_at": rfc3339(session.ends_at),
                "idle_at": rfc3339(session.idle_at),
            }),
        );
        if let Some(opened) = renewed {
            let seconds = opened.ends_at.since(self.inner.ports.now()).0 / 1_000;
            set_cookie(&mut reply.head, SESSION, &opened.secret, seconds);
        }
        Ok(reply)
    }

    async fn logout<R: Request>(&self, setup: &Setup<P>, request: R) -> Result<Reply<Standard<P>>, ApiError> {
        let (gateway, hasher, mut shown) = (setup.pipeline.layers.gateway(), self.hasher()?, Shown::of(&request));
        let secret = shown.secret.clone().ok_or_else(nobody)?;
        let session = gateway.identity().session(hasher, &secret).await?.ok_or_else(nobody)?;
        let is_form = shown.csrf.is_none();
        if is_form {
            // A page without scripts carries it in its form.
            let ports = &self.inner.ports;
            let body = pipeline::body(ports, request, MAX_FORM_BYTES, pipeline::PATIENCE).await.unwrap_or_default();
            shown.csrf = str::from_utf8(&body).ok().and_then(|form| query_parameter(form, "csrf_token"));
        }
        shown.check(hasher, &session, &own_url(setup), true)?;
        gateway.identity().end_session(hasher, &secret).await?;
        self.note("sign_out", &session.caller);
        let mut reply = if is_form { redirect(own_url(setup) + "/console/") } else { empty(204) };
        set_cookie(&mut reply.head, SESSION, "", 0);
        Ok(reply)
    }

    async fn page<R: Request>(&self, setup: &Setup<P>, request: &R) -> Result<Reply<Standard<P>>, ApiError> {
        let (gateway, hasher) = (setup.pipeline.layers.gateway(), self.hasher()?);
        gateway.identity().console()?;
        let session = match cookie(request.header("cookie"), SESSION) {
            Some(secret) => gateway.identity().session(hasher, &secret).await?,
            None => None,
        };
        let Some(session) = session else {
            return Ok(page("Nobody is signed in.", "<p><a href=\"/console/login\">Sign in</a></p>"));
        };
        let csrf_token = session.csrf_token.clone();
        let who = gateway.place(session.caller).await?;
        let roles: Vec<&str> = who.roles.iter().map(|role| role.as_str()).collect();
        let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
        let sentence = format!("{} is signed in: team {}, {roles}.", who.user.as_deref().unwrap_or_default(), who.team);
        let form = format!(
            "<p>This version has no more to show here; the admin plane is at <code>/admin/v1/</code>.</p>\
             <form method=\"post\" action=\"/console/logout\"><input type=\"hidden\" name=\"csrf_token\" value=\"{csrf_token}\">\
             <button>Sign out</button></form>"
        );
        Ok(page(&sentence, &form))
    }

    fn note(&self, event: &str, who: &Caller) {
        let line = json!({ "event": event, "at": self.inner.ports.now(), "key_id": who.key_id, "user": who.user });
        self.inner.ports.log(&line.to_string());
    }
}

fn empty<P: Ports>(status: u16) -> Reply<Standard<P>> {
    let mut head = Head { status, headers: Vec::new() };
    head.set("cache-control", "no-store");
    Reply::whole(head, Vec::new())
}

fn redirect<P: Ports>(place: String) -> Reply<Standard<P>> {
    let mut reply = empty(303);
    reply.head.set("location", place);
    reply
}

/// A page without scripts. `more` is markup.
fn page<P: Ports>(sentence: &str, more: &str) -> Reply<Standard<P>> {
    let mut head = Head::new(200, "text/html; charset=utf-8");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("content-security-policy", PAGE_POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        head.set(name, value);
    }
    let sentence = escaped(sentence);
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Signalbox</title><style>{STYLE}</style><h1>Signalbox</h1><p>{sentence}</p>{more}</html>\n"
    );
    Reply::whole(head, html.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_if_it_is_there_once() {
        assert_eq!(cookie(Some("a=1; __Host-signalbox-session=x; b=2"), SESSION).as_deref(), Some("x"));
        assert_eq!(cookie(Some("__Host-signalbox-session=x; __Host-signalbox-session=y"), SESSION), None);
        assert_eq!(cookie(Some("x__Host-signalbox-session=x"), SESSION), None);
        assert_eq!(cookie(Some("__Host-signalbox-session="), SESSION), None);
        assert_eq!(cookie(None, SESSION), None);
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        let own = "https://llm.example.com";
        for (origin, site, changes, good) in [
            (Some(own), Some("same-origin"), true, true),
            (Some(own), None, true, true),
            (None, Some("same-origin"), true, true),
            (None, None, true, false),
            (Some("https://evil.example"), None, true, false),
            (Some(own), Some("cross-site"), true, false),
            (Some(own), Some("same-site"), true, false),
            (Some("null"), Some("same-origin"), true, false),
            (None, Some("none"), true, false),
            (None, Some("none"), false, true),
            (None, None, false, true),
            (None, Some("cross-site"), false, false),
        ] {
            assert_eq!(is_ours(origin, site, own, changes), good, "{origin:?} {site:?} {changes}");
        }
        assert_eq!(origin("https://llm.example.com/gateway"), own);
        assert_eq!(origin("http://127.0.0.1:8787"), "http://127.0.0.1:8787");
    }

    #[test]
    fn nothing_that_is_shown_is_markup() {
        assert_eq!(escaped("<b>\"&'"), "&lt;b&gt;&quot;&amp;&#39;");
    }
}
