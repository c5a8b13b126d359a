//! `thoughtSignature`: Google's own, and others' in its place.
//!
//! A caller of this dialect gives signatures back without looking into them. Those of another provider
//! travel in the same member, marked, in base64 as the member wants it; on the way to Google they are
//! taken out again.

use crate::dialect::base64;
use crate::dialect::ir::{Seal, SealFormat};
use std::borrow::Cow;

/// The name by which Google's signatures go, in OpenRouter's words.
pub(super) const GOOGLE: &str = "google-gemini-v1";

/// What stands before a foreign seal. Fifteen bytes, so that its base64 is the same whatever follows.
const MARK: &[u8] = b"signalbox-seal ";
/// [`MARK`] in base64.
pub(super) const MARK_IN_BASE64: &str = "c2lnbmFsYm94LXNlYWwg";

/// Google's documented stand-in for a signature that is not there, because the call was another
/// model's: <https://ai.google.dev/gemini-api/docs/thought-signatures>.
pub(super) const UNSIGNED: &str = "skip_thought_signature_validator";

pub(super) fn is_google(seal: &Seal) -> bool {
    seal.format.as_str() == GOOGLE
}

/// A signature as it stands in a part.
pub(super) fn read(signature: &str) -> Seal {
    let foreign = signature.starts_with(MARK_IN_BASE64).then(|| unpack(signature)).flatten();
    foreign.unwrap_or_else(|| Seal { text: signature.to_owned(), format: SealFormat::Other(GOOGLE.to_owned()) })
}

fn unpack(signature: &str) -> Option<Seal> {
    let bytes = base64::decode(signature)?;
    let packed = std::str::from_utf8(bytes.strip_prefix(MARK)?).ok()?;
    let (format, text) = packed.split_once('\n')?;
    Some(Seal { text: text.to_owned(), format: SealFormat::from_name(Some(format)) })
}

/// A signature as a caller gets it.
pub(super) fn write(seal: &Seal) -> Cow<'_, str> {
    if is_google(seal) {
        return Cow::Borrowed(&seal.text);
    }
    let packed = [MARK, seal.format.as_str().as_bytes(), b"\n", seal.text.as_bytes()].concat();
    Cow::Owned(base64::encode(&packed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_seal_survives_in_the_place_of_a_signature() {
        for seal in
            [Seal::anthropic("EuYB+/=="), Seal { text: "x\ny".to_owned(), format: SealFormat::Other("z".into()) }]
        {
            let written = write(&seal).into_owned();
            assert!(written.starts_with(MARK_IN_BASE64), "{written}");
            assert_eq!(read(&written), seal);
            // Python's SDK gives it back in the other alphabet.
            assert_eq!(read(&written.replace('+', "-").replace('/', "_")), seal);
        }
    }

    #[test]
    fn googles_own_goes_as_it_came() {
        let seal = read("EpIDCo8DAQw51scL-dH");
        assert!(is_google(&seal));
        assert_eq!(write(&seal), "EpIDCo8DAQw51scL-dH");
        assert!(is_google(&read(MARK_IN_BASE64)), "a mark with nothing behind it is nobody's");
    }
}
