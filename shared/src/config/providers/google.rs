//! Credentials of Google's cloud that are not tokens but are exchanged for them: a service account's key, or the token
//! of another identity (workload identity federation). Both are the JSON files that Google's console gives out.

use super::enabled::problem;
use crate::config::bindings::{self, Bindings};
use crate::config::problem::Problem;
use crate::config::url::{self, BaseUrl};
use crate::dialect::base64;
use crate::ports::RsaKey;
use crate::secret::Secret;
use crate::sorted::SortedMap;
use serde::Deserialize;

/// Whose tokens are asked for, and with what.
#[derive(Clone, Debug)]
pub struct GoogleAccount {
    /// What proves who asks.
    pub grant: Grant,
    /// Where tokens are given out.
    pub token_url: BaseUrl,
    /// The project that a service account's key names.
    pub project: Option<String>,
}

/// What proves who asks.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A signature with a service account's key (RFC 7523).
    Key {
        /// The account.
        email: String,
        /// Which of its keys.
        key_id: Option<String>,
        /// The key.
        key: RsaKey,
    },
    /// A token of somebody whom Google was told to trust (RFC 8693).
    Federated {
        /// The pool and its provider, as Google names them.
        audience: String,
        /// What kind of token the subject's is.
        token_type: String,
        /// Where the subject's token is.
        subject: Subject,
        /// The service account to act as: where its tokens are made.
        impersonation_url: Option<BaseUrl>,
    },
}

/// Where the token of a federated identity comes from.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A binding.
    Bound(Secret),
    /// A server, asked each time.
    Served {
        /// With its query.
        url: String,
        /// Headers it wants.
        headers: Vec<(String, Secret)>,
        /// The member of its JSON answer; else the answer is the token.
        member: Option<String>,
    },
}

/// The names of the bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoogleBindings {
    /// A service account's key file.
    pub service_account: &'static str,
    /// A credential configuration of workload identity federation.
    pub workload_identity: &'static str,
    /// The subject's token, where the configuration names no server for it.
    pub subject_token: &'static str,
}

#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key_id: Option<String>,
    private_key: String,
    token_uri: Option<String>,
    project_id: Option<String>,
}

#[derive(Deserialize)]
struct Federation {
    audience: String,
    subject_token_type: String,
    token_url: Option<String>,
    service_account_impersonation_url: Option<String>,
    credential_source: Option<Source>,
}

#[derive(Deserialize)]
struct Source {
    url: Option<String>,
    #[serde(default)]
    headers: SortedMap<String, String>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    subject_token_field_name: Option<String>,
}

impl GoogleAccount {
    /// What is bound; `None` where nothing is. The error names the binding, never its text.
    pub(super) fn read(
        names: &GoogleBindings,
        bindings: &(impl Bindings + ?Sized),
    ) -> Result<Option<GoogleAccount>, Problem> {
        if let Some(text) = bindings::text(bindings, names.service_account) {
            return service_account(names.service_account, &text).map(Some);
        }
        let Some(text) = bindings::text(bindings, names.workload_identity) else { return Ok(None) };
        federation(names, &text, bindings::text(bindings, names.subject_token)).map(Some)
    }
}

fn service_account(binding: &str, text: &str) -> Result<GoogleAccount, Problem> {
    let wrong = |message| problem(binding, message, "Bind the JSON file of a service account's key, as Google gave it");
    let file: KeyFile = crate::json::parse(text).map_err(|_| wrong("is no service account's key"))?;
    let key = private_key(&file.private_key).ok_or_else(|| wrong("has no private key in PKCS #8"))?;
    let token_uri = file.token_uri.as_deref().unwrap_or("https://oauth2.googleapis.com/token");
    Ok(GoogleAccount {
        grant: Grant::Key { email: file.client_email, key_id: file.private_key_id, key },
        token_url: place(binding, token_uri)?,
        project: file.project_id,
    })
}

fn federation(names: &GoogleBindings, text: &str, bound: Option<String>) -> Result<GoogleAccount, Problem> {
    let binding = names.workload_identity;
    let wrong = |message, hint: &str| problem(binding, message, hint);
    let config: Federation = crate::json::parse(text).map_err(|_| {
        wrong(
            "is no credential configuration",
            "Bind what `gcloud iam workload-identity-pools create-cred-config` wrote",
        )
    })?;
    let source = config.credential_source.and_then(|source| Some((source.url?, source.headers, source.format)));
    let subject = match (bound, source) {
        (Some(token), _) => Subject::Bound(Secret::new(token)),
        (None, Some((url, headers, format))) => {
            place(binding, url.split('?').next().unwrap_or_default())?;
            Subject::Served {
                url,
                headers: headers
                    .into_iter()
                    .map(|(name, value)| (name.to_ascii_lowercase(), Secret::new(value)))
                    .collect(),
                member: format.and_then(|format| format.subject_token_field_name),
            }
        }
        (None, None) => {
            let hint = format!("Bind {}, or name a URL in `credential_source`", names.subject_token);
            return Err(wrong("does not say where the subject's token is", &hint));
        }
    };
    let impersonation_url =
        config.service_account_impersonation_url.as_deref().map(|url| place(binding, url)).transpose()?;
    Ok(GoogleAccount {
        token_url: place(binding, config.token_url.as_deref().unwrap_or("https://sts.googleapis.com/v1/token"))?,
        grant: Grant::Federated {
            audience: config.audience,
            token_type: config.subject_token_type,
            subject,
            impersonation_url,
        },
        project: None,
    })
}

/// A URL that credentials may be sent to.
fn place(binding: &str, text: &str) -> Result<BaseUrl, Problem> {
    let url = BaseUrl::parse(text).ok().filter(|url| text.starts_with("https://") || url.is_private());
    url.ok_or_else(|| problem(binding, "names a URL that credentials cannot be sent to", url::RULE))
}

/// The key in a PEM text, if it is in PKCS #8 (RFC 7468).
fn private_key(pem: &str) -> Option<RsaKey> {
    const LABEL: &str = "PRIVATE KEY-----";
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (body, end) = rest.strip_prefix(LABEL)?.split_once("-----END ")?;
    end.starts_with(LABEL).then_some(())?;
    let body: String = body.split_whitespace().collect();
    base64::decode(&body).filter(|der| !der.is_empty()).map(RsaKey::new)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NAMES: GoogleBindings =
        GoogleBindings { service_account: "ACCOUNT", workload_identity: "IDENTITY", subject_token: "SUBJECT" };

    fn read(bound: &[(&str, &str)]) -> Result<Option<GoogleAccount>, String> {
        let bindings: std::collections::BTreeMap<String, String> =
            bound.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        GoogleAccount::read(&NAMES, &bindings).map_err(|problem| format!("{} {}", problem.path, problem.message))
    }

    #[test]
    fn a_key_file_and_a_credential_configuration_are_read_as_google_writes_them() {
        assert!(read(&[]).unwrap().is_none());
        let pem = ["-----BEGIN ", "AQID\nBA==\n-----END ", ""].join("PRIVATE KEY-----\n");
        let file = crate::json::json!({"type": "service_account", "project_id": "p-1", "private_key_id": "k",
            "client_email": "a@p-1.example", "private_key": pem});
        let account = read(&[("ACCOUNT", &file.to_string())]).unwrap().unwrap();
        assert_eq!(account.token_url.as_str(), "https://oauth2.googleapis.com/token");
        assert_eq!(account.project.as_deref(), Some("p-1"));
        assert!(matches!(account.grant, Grant::Key { ref key, .. } if key.expose() == [1, 2, 3, 4]));
        assert!(!format!("{account:?}").contains("[1, 2"));

        let config = r#"{"type":"external_account","audience":"//iam.example/pool","subject_token_type":"urn:jwt",
            "credential_source":{"url":"https://id.example/token?audience=x","headers":{"Metadata":"true"},
            "format":{"type":"json","subject_token_field_name":"value"}}}"#;
        let account = read(&[("IDENTITY", config)]).unwrap().unwrap();
        assert_eq!(account.token_url.as_str(), "https://sts.googleapis.com/v1/token");
        assert!(matches!(account.grant, Grant::Federated { subject: Subject::Served { ref member, .. }, .. }
            if member.as_deref() == Some("value")));
        let account = read(&[("IDENTITY", config), ("SUBJECT", "s")]).unwrap().unwrap();
        assert!(matches!(account.grant, Grant::Federated { subject: Subject::Bound(_), .. }));
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_the_name_of_its_binding() {
        let federated = |more: &str| format!(r#"{{"audience":"a","subject_token_type":"t"{more}}}"#);
        for (binding, text, message) in [
            ("ACCOUNT", "{}".to_owned(), "is no service account's key"),
            ("ACCOUNT", r#"{"client_email":"a","private_key":"AQID"}"#.to_owned(), "has no private key in PKCS #8"),
            ("IDENTITY", "x".to_owned(), "is no credential configuration"),
            ("IDENTITY", federated(""), "does not say where the subject's token is"),
            (
                "IDENTITY",
                federated(r#","credential_source":{"file":"/token"}"#),
                "does not say where the subject's token is",
            ),
            (
                "IDENTITY",
                federated(r#","credential_source":{"url":"http://id.example/"}"#),
                "names a URL that credentials cannot be sent to",
            ),
            (
                "IDENTITY",
                federated(r#","credential_source":{"url":"https://id.example/"},"token_url":"http://sts.example/"#),
                "is no credential configuration",
            ),
        ] {
            assert_eq!(read(&[(binding, &text)]).err(), Some(format!("{binding} {message}")), "{text}");
        }
    }
}
