//! Cohere's v2 chat, written and read.

use signalbox::dialect::ProviderDialect;

pub fn run(data: &[u8]) {
    crate::provider_dialect::run(ProviderDialect::Cohere, data);
}
