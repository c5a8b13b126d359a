//! How a provider is told who calls: a key in a header, a signature with AWS credentials, or a token of Google's cloud.

use super::enabled::problem;
use super::google::GoogleAccount;
use super::section::is_header_value;
use super::{AuthStyle, Builtin, ProviderOverride, Signing};
use crate::config::bindings::{self, Bindings};
use crate::config::problem::Problem;
use crate::secret::Secret;
use crate::sigv4::Signer;

/// The credential of a call.
#[derive(Clone, Debug)]
pub enum Auth {
    /// None: a server of one's own.
    None,
    /// A header and its whole value.
    Header {
        /// In lower case.
        name: &'static str,
        /// With `Bearer ` where that is the style.
        value: Secret,
    },
    /// Every call is signed.
    Aws(Box<Signer>),
    /// Every call carries a token that is asked for and kept.
    Google(Box<GoogleAccount>),
}

impl Auth {
    /// The account of Google's cloud, where that is how.
    pub(super) fn account(&self) -> Option<&GoogleAccount> {
        match self {
            Auth::Google(account) => Some(account),
            Auth::None | Auth::Header { .. } | Auth::Aws(_) => None,
        }
    }
}

/// What the bindings say; `None` where they do not say that the provider is meant to be used.
pub(super) fn auth(
    known: Option<&Builtin>,
    over: &ProviderOverride,
    style: AuthStyle,
    has_url: bool,
    bindings: &(impl Bindings + ?Sized),
) -> Result<Option<Auth>, Problem> {
    let names = match &over.api_key {
        Some(name) => [Some(name.as_str()), None],
        None => [known.and_then(|known| known.key_binding), known.and_then(|known| known.other_key_binding)],
    };
    for name in names.into_iter().flatten() {
        if let Some(text) = bindings::text(bindings, name) {
            return Ok(Some(with_key(header_value(name, text)?, style)));
        }
    }
    let signing = known.and_then(|known| known.signing).filter(|_| over.api_key.is_none());
    if let Some(signer) = signing.map(|signing| signer(&signing, bindings)).transpose()?.flatten() {
        return Ok(Some(Auth::Aws(Box::new(signer))));
    }
    let accounts = known.and_then(|known| known.cloud).filter(|_| over.api_key.is_none());
    if let Some(cloud) = accounts
        && let Some(account) = GoogleAccount::read(&cloud.google, bindings)?
    {
        return Ok(Some(Auth::Google(Box::new(account))));
    }
    let keyless = names.iter().all(Option::is_none);
    Ok((keyless && has_url).then_some(Auth::None))
}

fn with_key(key: Secret, style: AuthStyle) -> Auth {
    match style {
        AuthStyle::Header(name) => Auth::Header { name, value: key },
        AuthStyle::Bearer => {
            Auth::Header { name: "authorization", value: Secret::new(format!("Bearer {}", key.expose())) }
        }
    }
}

/// AWS credentials: the provider's own, else those of the environment where a region is bound.
fn signer(signing: &Signing, bindings: &(impl Bindings + ?Sized)) -> Result<Option<Signer>, Problem> {
    let region = bindings::text(bindings, signing.region_binding);
    let prefixes = [signing.prefix, "AWS"];
    let id_of = |prefix: &&str| bindings::text(bindings, &format!("{prefix}_ACCESS_KEY_ID"));
    let found = prefixes.iter().find_map(|prefix| Some((*prefix, id_of(prefix)?)));
    let Some((prefix, id)) = found.filter(|(prefix, _)| *prefix == signing.prefix || region.is_some()) else {
        return Ok(None);
    };
    let [id_binding, secret_binding, token_binding] =
        ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"].map(|name| format!("{prefix}_{name}"));
    let missing = |name: &str, hint: &str| problem(name, "is missing", hint);
    let secret = bindings::text(bindings, &secret_binding)
        .ok_or_else(|| missing(&secret_binding, "An access key has two halves: bind both"))?;
    let token = bindings::text(bindings, &token_binding);
    let region = region.ok_or_else(|| missing(signing.region_binding, "Bind the region, such as eu-central-1"))?;
    if !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(problem(signing.region_binding, "is no region", "Bind a region such as eu-central-1"));
    }
    Ok(Some(Signer {
        access_key_id: header_value(&id_binding, id)?,
        secret_access_key: Secret::new(secret),
        session_token: token.map(|token| header_value(&token_binding, token)).transpose()?,
        region,
        service: signing.service,
    }))
}

pub(super) fn header_value(binding: &str, text: String) -> Result<Secret, Problem> {
    if is_header_value(&text) {
        return Ok(Secret::new(text));
    }
    Err(problem(binding, "cannot stand in a header", "Use printable ASCII characters without line breaks"))
}
