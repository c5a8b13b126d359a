//! The Model Context Protocol, as far as resources go: definitions are offered to agents by it, and taken from servers.
//!
//! Revision 2026-07-28 speaks in single requests that each say everything. The revisions before it begin with a
//! handshake; as nothing is remembered of it here, both are served at one place, and asked of servers in turn.

pub mod client;
pub mod server;

/// The revision without a handshake.
pub const MODERN: &str = "2026-07-28";
/// Revisions with a handshake, the newest first.
pub const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

/// Where in a request its revision stands.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Where what a client can do stands.
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// Where a definition stands whole, beside its text.
pub const META_DEFINITION: &str = "signalbox/definition";
