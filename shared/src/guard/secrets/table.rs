//! Credentials that begin with a word of their provider's, and Entra's, which have one in the middle.
//!
//! Facts of the providers' documentation and of their own scanners; no key stands here, and none that is
//! published in documentation is reported: those are known by their hashes.

use super::{Match, entropy, is_placeholder};
use crate::guard::{before, byte, within};
use std::sync::OnceLock;

/// What stands behind a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// `0-9a-f`, in one case or the other.
    Hex,
    /// The same with `_`.
    HexWord,
    /// Letters and digits.
    Alnum,
    /// Letters.
    Letters,
    /// Capitals and digits.
    Upper,
    /// Capitals, digits, hyphens.
    UpperDash,
    /// Letters, digits, `_` and `-`.
    Word,
    /// The same with dots.
    WordDot,
    /// Letters, digits, `_`, `-`, `=`.
    Token,
    /// The same with dots.
    TokenDot,
    /// Base 64, of either alphabet.
    Base64,
    /// Slack's: numbers in groups.
    Slack,
}

impl Of {
    fn has(self, b: u8) -> bool {
        match self {
            Of::Hex => b.is_ascii_hexdigit(),
            Of::HexWord => b.is_ascii_hexdigit() || b == b'_',
            Of::Alnum => b.is_ascii_alphanumeric(),
            Of::Letters => b.is_ascii_alphabetic(),
            Of::Upper => b.is_ascii_uppercase() || b.is_ascii_digit(),
            Of::UpperDash => b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-',
            Of::Word | Of::Slack => b.is_ascii_alphanumeric() || b == b'_' || b == b'-',
            Of::WordDot => Of::Word.has(b) || b == b'.',
            Of::Token => Of::Word.has(b) || b == b'=',
            Of::TokenDot => Of::Token.has(b) || b == b'.',
            Of::Base64 => b.is_ascii_alphanumeric() || b"+/=_-".contains(&b),
        }
    }
}

/// A prefix, what follows, how long that is at least and at most, and what it is.
type Row = (&'static str, Of, usize, usize, &'static str);

/// In the order of prefixes.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("4b1d", Of::Alnum, 38, 38, "clickhouse_key"),
    ("A3-", Of::UpperDash, 34, 36, "1password_key"),
    ("A3T", Of::Upper, 17, 17, "aws_key"),
    ("ABIA", Of::Upper, 16, 16, "aws_key"),
    ("ABSK", Of::Base64, 109, 269, "aws_bedrock_key"),
    ("ACCA", Of::Upper, 16, 16, "aws_key"),
    ("AGE-SECRET-KEY-1", Of::Upper, 58, 58, "age_key"),
    ("AIza", Of::Word, 35, 35, "google_key"),
    ("AKCp", Of::Alnum, 69, 69, "artifactory_key"),
    ("AKIA", Of::Upper, 16, 16, "aws_key"),
    ("API-", Of::Upper, 26, 26, "octopus_key"),
    ("AQVN", Of::Word, 37, 37, "yandex_key"),
    ("ASIA", Of::Upper, 16, 16, "aws_key"),
    ("ATATT3", Of::Word, 180, 200, "atlassian_token"),
    ("AccountKey=", Of::Base64, 86, 88, "azure_storage_key"),
    ("CLOJARS_", Of::Alnum, 60, 60, "clojars_token"),
    ("EAAA", Of::Word, 22, 60, "square_token"),
    ("EAAC", Of::Alnum, 100, 300, "facebook_token"),
    ("EAAM", Of::Alnum, 100, 300, "facebook_token"),
    ("EZAK", Of::Alnum, 54, 54, "easypost_key"),
    ("EZTK", Of::Alnum, 54, 54, "easypost_key"),
    ("FLWPUBK_TEST-", Of::Word, 32, 36, "flutterwave_key"),
    ("FLWSECK_TEST-", Of::Word, 12, 36, "flutterwave_key"),
    ("GOCSPX-", Of::Word, 28, 28, "google_oauth_secret"),
    ("GR1348941", Of::Word, 20, 20, "gitlab_token"),
    ("HRKU-AA", Of::Word, 58, 58, "heroku_key"),
    ("LTAI", Of::Alnum, 20, 20, "alibaba_key"),
    ("NRAK-", Of::Alnum, 27, 27, "newrelic_key"),
    ("NRII-", Of::Word, 32, 32, "newrelic_key"),
    ("NRJS-", Of::Alnum, 19, 19, "newrelic_key"),
    ("PMAK-", Of::Word, 59, 59, "postman_key"),
    ("SG.", Of::WordDot, 66, 66, "sendgrid_key"),
    ("SK", Of::Hex, 32, 32, "twilio_key"),
    ("YC", Of::Word, 38, 38, "yandex_key"),
    ("api_org_", Of::Letters, 34, 34, "huggingface_token"),
    ("bedrock-api-key-", Of::Base64, 28, 2000, "aws_bedrock_key"),
    ("cmVmd", Of::Alnum, 59, 59, "artifactory_key"),
    ("csk-", Of::Alnum, 40, 60, "cerebras_key"),
    ("dapi", Of::Hex, 32, 34, "databricks_token"),
    ("dckr_pat_", Of::Word, 27, 27, "docker_token"),
    ("dnkey-", Of::Token, 78, 80, "defined_key"),
    ("doo_v1_", Of::Hex, 64, 64, "digitalocean_token"),
    ("dop_v1_", Of::Hex, 64, 64, "digitalocean_token"),
    ("dor_v1_", Of::Hex, 64, 64, "digitalocean_token"),
    ("dp.pt.", Of::Alnum, 43, 43, "doppler_token"),
    ("dt0c01.", Of::WordDot, 89, 89, "dynatrace_token"),
    ("duffel_live_", Of::Token, 43, 43, "duffel_token"),
    ("duffel_test_", Of::Token, 43, 43, "duffel_token"),
    ("eyJrIjoi", Of::Base64, 70, 400, "grafana_token"),
    ("fio-u-", Of::Token, 64, 64, "frameio_token"),
    ("fm1a_", Of::Base64, 100, 800, "flyio_token"),
    ("fm1r_", Of::Base64, 100, 800, "flyio_token"),
    ("fm2_", Of::Base64, 100, 800, "flyio_token"),
    ("fo1_", Of::Word, 43, 43, "flyio_token"),
    ("fw_", Of::Alnum, 20, 30, "fireworks_key"),
    ("gho_", Of::Alnum, 36, 36, "github_token"),
    ("ghp_", Of::Alnum, 36, 36, "github_token"),
    ("ghr_", Of::Alnum, 36, 36, "github_token"),
    ("ghs_", Of::Alnum, 36, 36, "github_token"),
    ("ghu_", Of::Alnum, 36, 36, "github_token"),
    ("github_pat_", Of::Word, 82, 82, "github_token"),
    ("glagent-", Of::WordDot, 50, 320, "gitlab_token"),
    ("glc_", Of::Base64, 32, 400, "grafana_token"),
    ("glcbt-", Of::Word, 22, 40, "gitlab_token"),
    ("gldt-", Of::WordDot, 20, 320, "gitlab_token"),
    ("glffct-", Of::WordDot, 20, 320, "gitlab_token"),
    ("glft-", Of::WordDot, 20, 320, "gitlab_token"),
    ("glimt-", Of::WordDot, 25, 320, "gitlab_token"),
    ("gloas-", Of::WordDot, 64, 320, "gitlab_token"),
    ("glpat-", Of::WordDot, 20, 320, "gitlab_token"),
    ("glptt-", Of::WordDot, 40, 320, "gitlab_token"),
    ("glrt-", Of::WordDot, 20, 320, "gitlab_token"),
    ("glsa_", Of::Word, 41, 41, "grafana_token"),
    ("glsoat-", Of::WordDot, 20, 320, "gitlab_token"),
    ("gsk_", Of::Alnum, 52, 52, "groq_key"),
    ("hf_", Of::Alnum, 34, 34, "huggingface_token"),
    ("hvb.", Of::Word, 138, 300, "vault_token"),
    ("hvs.", Of::Word, 90, 120, "vault_token"),
    ("ico-", Of::Alnum, 32, 32, "infracost_key"),
    ("jina_", Of::Word, 60, 60, "jina_key"),
    ("key-", Of::Hex, 32, 32, "mailgun_key"),
    ("lin_api_", Of::Alnum, 40, 40, "linear_key"),
    ("lob_live_", Of::Hex, 30, 40, "lob_key"),
    ("lsv2_pt_", Of::Word, 43, 46, "langsmith_key"),
    ("npm_", Of::Alnum, 36, 36, "npm_token"),
    ("ntn_", Of::Alnum, 46, 46, "notion_token"),
    ("nvapi-", Of::Word, 60, 70, "nvidia_key"),
    ("ops_eyJ", Of::Base64, 250, 900, "1password_token"),
    ("p8e-", Of::Alnum, 32, 32, "adobe_secret"),
    ("pat", Of::WordDot, 79, 79, "airtable_token"),
    ("pat.", Of::WordDot, 60, 80, "harness_key"),
    ("pcsk_", Of::Word, 60, 80, "pinecone_key"),
    ("phc_", Of::Alnum, 43, 43, "posthog_key"),
    ("pk.eyJ", Of::WordDot, 80, 100, "mapbox_token"),
    ("pnu_", Of::Alnum, 36, 36, "prefect_key"),
    ("pplx-", Of::Alnum, 48, 48, "perplexity_key"),
    ("pscale_oauth_", Of::WordDot, 32, 64, "planetscale_token"),
    ("pscale_pw_", Of::WordDot, 32, 64, "planetscale_token"),
    ("pscale_tkn_", Of::WordDot, 32, 64, "planetscale_token"),
    ("pul-", Of::Hex, 40, 40, "pulumi_token"),
    ("pypi-", Of::Word, 50, 1000, "pypi_token"),
    ("r8_", Of::Alnum, 37, 37, "replicate_key"),
    ("rdme_", Of::Alnum, 70, 70, "readme_key"),
    ("rk_live_", Of::Alnum, 10, 99, "stripe_key"),
    ("rk_prod_", Of::Alnum, 10, 99, "stripe_key"),
    ("rk_test_", Of::Alnum, 10, 99, "stripe_key"),
    ("rubygems_", Of::Hex, 48, 48, "rubygems_key"),
    ("s-s4t2af-", Of::Hex, 64, 64, "intra42_secret"),
    ("s-s4t2ud-", Of::Hex, 64, 64, "intra42_secret"),
    ("s.", Of::Alnum, 24, 24, "vault_token"),
    ("sat.", Of::WordDot, 60, 80, "harness_key"),
    ("sbp_", Of::Hex, 40, 40, "supabase_token"),
    ("secret_", Of::Alnum, 43, 43, "notion_token"),
    ("sgp_", Of::HexWord, 40, 57, "sourcegraph_token"),
    ("sgp_local_", Of::Hex, 40, 40, "sourcegraph_token"),
    ("sha256~", Of::Word, 43, 43, "openshift_token"),
    ("shippo_live_", Of::Hex, 40, 40, "shippo_token"),
    ("shippo_test_", Of::Hex, 40, 40, "shippo_token"),
    ("shpat_", Of::Hex, 32, 32, "shopify_token"),
    ("shpca_", Of::Hex, 32, 32, "shopify_token"),
    ("shppa_", Of::Hex, 32, 32, "shopify_token"),
    ("shpss_", Of::Hex, 32, 32, "shopify_token"),
    ("sk-", Of::Alnum, 40, 60, "openai_key"),
    ("sk-admin-", Of::Word, 100, 180, "openai_key"),
    ("sk-ant-admin01-", Of::Word, 95, 95, "anthropic_key"),
    ("sk-ant-api03-", Of::Word, 95, 95, "anthropic_key"),
    ("sk-lf-", Of::Word, 30, 60, "langfuse_key"),
    ("sk-or-v1-", Of::Hex, 64, 64, "openrouter_key"),
    ("sk-proj-", Of::Word, 100, 180, "openai_key"),
    ("sk-sb-", Of::Word, 24, 80, "signalbox_key"),
    ("sk-svcacct-", Of::Word, 100, 180, "openai_key"),
    ("sk.eyJ", Of::WordDot, 80, 100, "mapbox_token"),
    ("sk_live_", Of::Alnum, 10, 99, "stripe_key"),
    ("sk_prod_", Of::Alnum, 10, 99, "stripe_key"),
    ("sk_test_", Of::Alnum, 10, 99, "stripe_key"),
    ("sl.", Of::Token, 130, 160, "dropbox_token"),
    ("slk_", Of::Hex, 64, 64, "sourcegraph_token"),
    ("sm_aat_", Of::Alnum, 16, 16, "settlemint_token"),
    ("sm_pat_", Of::Alnum, 16, 16, "settlemint_token"),
    ("sm_sat_", Of::Alnum, 16, 16, "settlemint_token"),
    ("sntrys_", Of::Base64, 100, 500, "sentry_token"),
    ("sntryu_", Of::Hex, 64, 64, "sentry_token"),
    ("sq0atp-", Of::Word, 22, 60, "square_token"),
    ("sq0csp-", Of::Word, 40, 50, "square_token"),
    ("t1.", Of::TokenDot, 86, 200, "yandex_token"),
    ("tfp_", Of::TokenDot, 40, 60, "typeform_token"),
    ("tgp_v1_", Of::Word, 40, 60, "together_key"),
    ("tk-us-", Of::Word, 48, 48, "scalingo_token"),
    ("tskey-auth-", Of::Word, 20, 60, "tailscale_key"),
    ("v1.0-", Of::Word, 171, 171, "cloudflare_ca_key"),
    ("vercel_blob_rw_", Of::Word, 30, 60, "vercel_token"),
    ("whsec_", Of::Base64, 32, 64, "stripe_key"),
    ("xai-", Of::Alnum, 80, 80, "xai_key"),
    ("xapp-", Of::Slack, 40, 120, "slack_token"),
    ("xkeysib-", Of::Word, 81, 81, "brevo_key"),
    ("xoxa-", Of::Slack, 10, 60, "slack_token"),
    ("xoxb-", Of::Slack, 30, 100, "slack_token"),
    ("xoxe-", Of::Slack, 60, 160, "slack_token"),
    ("xoxe.xoxb-", Of::Slack, 160, 180, "slack_token"),
    ("xoxe.xoxp-", Of::Slack, 160, 180, "slack_token"),
    ("xoxo-", Of::Slack, 30, 100, "slack_token"),
    ("xoxp-", Of::Slack, 60, 100, "slack_token"),
    ("xoxr-", Of::Slack, 10, 60, "slack_token"),
    ("xoxs-", Of::Slack, 30, 100, "slack_token"),
    ("ya29.", Of::Word, 30, 400, "google_oauth_token"),
];

/// Keys that documentation publishes, by FNV-1a.
#[rustfmt::skip]
const PUBLISHED: &[u64] = &[
    0x08b545962adc7d8b, 0x12113c2e6979f447, 0x294c63f8344d5df1, 0x29a336c7244f48dd, 0x515cb771a4238032,
    0x6835e0f288832a40, 0x6acbd824bd32bbd4, 0x816cd10fdb11ead0, 0x828818f833257868, 0x99b2726346a1e92a,
    0xadbd04e3fe1b6d49, 0xc73f1e61952e6987, 0xc800bf2100a21c67, 0xdb9422f1dd332dcc, 0xe754678ea2b14ef1,
    0xe7666dbb286c6c2e,
];

/// The credential that begins here with a known prefix. Of several prefixes the longest decides first.
pub(super) fn prefixed(text: &[u8], at: usize) -> Option<Match> {
    let rest = text.get(at..)?;
    let (first, second) = (*rest.first()?, *rest.get(1)?);
    let (from, until) = *by_first().get(usize::from(first))?;
    let rows = ROWS.get(from..until)?.iter();
    // The table is in the order of prefixes: what begins with another stands behind it.
    let fitting = rows.rev().filter(|row| byte(row.0.as_bytes(), 1) == second && rest.starts_with(row.0.as_bytes()));
    fitting.filter_map(|row| fits(rest, row)).map(|(class, length)| (class, at..at + length)).next()
}

/// The rows that begin with each byte: from which on, and up to which.
fn by_first() -> &'static [(usize, usize)] {
    static ROWS_BY_FIRST: OnceLock<Vec<(usize, usize)>> = OnceLock::new();
    let below = |first: u8| ROWS.partition_point(|row| byte(row.0.as_bytes(), 0) < first);
    let all = || (0..=u8::MAX).map(|first| (below(first), first.checked_add(1).map_or(ROWS.len(), below))).collect();
    ROWS_BY_FIRST.get_or_init(all)
}

/// Whether a value begins with a prefix of this table, as a key in it does or not: then the table decides.
pub(super) fn is_prefixed(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    ROWS.iter().any(|row| row.0.len() > 3 && rest.starts_with(row.0.as_bytes()))
}

/// As many signs may follow a key that are no part of it.
const SIGNS: usize = 64;

fn fits(rest: &[u8], row: &Row) -> Option<(&'static str, usize)> {
    let &(prefix, of, least, most, class) = row;
    let mut length = within(rest, prefix.len(), most + SIGNS, |b| of.has(b));
    // The end of a sentence is no part of it.
    while length > least && b".-_".contains(&byte(rest, prefix.len() + length - 1)) {
        length -= 1;
    }
    let secret = rest.get(prefix.len()..prefix.len() + length)?;
    let whole = rest.get(..prefix.len() + length)?;
    let goes_on = byte(rest, prefix.len() + length).is_ascii_alphanumeric();
    if length < least || length > most || goes_on || is_placeholder_key(prefix, secret) || !is_formed(row, secret) {
        return None;
    }
    if PUBLISHED.binary_search(&hash(whole)).is_ok() {
        return None;
    }
    Some((class, whole.len()))
}

/// Repeated letters, the word EXAMPLE at the end of an AWS key, too few different ones.
fn is_placeholder_key(prefix: &str, secret: &[u8]) -> bool {
    match prefix {
        // Amazon's own examples are long and monotonous, and so are some of its keys.
        "ABSK" | "bedrock-api-key-" => false,
        // Capitals are words as often as keys; a key has digits among them.
        "AKIA" | "ASIA" | "ABIA" | "ACCA" | "A3T" => secret.ends_with(b"EXAMPLE") || entropy(secret) < 280,
        "s." => !secret.iter().any(u8::is_ascii_digit) || entropy(secret) < 300,
        _ => is_placeholder(secret) || entropy(secret) < if secret.len() > 16 { 290 } else { 250 },
    }
}

/// What some of them have to be beside that.
fn is_formed(row: &Row, secret: &[u8]) -> bool {
    let count = |good: fn(&u8) -> bool| secret.iter().filter(|b| good(b)).count();
    let mixed = count(u8::is_ascii_lowercase) > 0 && count(u8::is_ascii_uppercase) > 0;
    match row.0 {
        "sk-ant-api03-" | "sk-ant-admin01-" => secret.ends_with(b"AA"),
        "sk-" => count(u8::is_ascii_digit) > 0 && mixed,
        "AKIA" | "ASIA" | "ABIA" | "ACCA" => !secret.iter().any(|b| b"0189".contains(b)),
        "ntn_" => secret.iter().take(11).all(u8::is_ascii_digit) && count(u8::is_ascii_alphabetic) > 0,
        "AIza" => entropy(secret) >= 380,
        "hf_" => count(u8::is_ascii_digit) == 0 || mixed,
        "pat" => secret.get(14) == Some(&b'.'),
        "SG." => secret.iter().filter(|b| **b == b'.').count() >= 1 || mixed,
        "A3-" => secret.get(6) == Some(&b'-'),
        "sk-proj-" | "sk-svcacct-" | "sk-admin-" => {
            secret.windows(8).any(|window| window == b"T3BlbkFJ") || entropy(secret) > 480
        }
        "xoxb-" | "xoxp-" | "xapp-" | "xoxs-" | "xoxo-" => {
            secret.split(|b| *b == b'-').all(|group| group.len() >= 8 || group.len() == 1)
        }
        "xoxa-" | "xoxr-" => {
            count(u8::is_ascii_digit) >= 2 && secret.split(|b| *b == b'-').any(|group| group.len() >= 8)
        }
        "SK" | "key-" => secret.iter().all(|b| !b.is_ascii_uppercase()),
        "EZAK" | "EZTK" => true,
        "YC" | "AQVN" => mixed,
        _ => true,
    }
}

/// The secret of a Microsoft Entra application, around the `~` of its `8Q~`.
pub(super) fn entra(text: &[u8], at: usize) -> Option<Match> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_~.-".contains(&b);
    let start = at.checked_sub(5)?;
    let head = text.get(start..at)?;
    let formed = head.last() == Some(&b'Q')
        && head.get(3).is_some_and(u8::is_ascii_digit)
        && head.iter().take(3).all(|b| good(*b));
    let tail = within(text, at + 1, 35, good);
    let outside = before(text, start);
    (formed
        && (31..=34).contains(&tail)
        && !outside.is_ascii_alphanumeric()
        && entropy(text.get(start..at + 1 + tail)?) > 300)
        .then(|| ("azure_client_secret", start..at + 1 + tail))
}

fn hash(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
