//! Server-sent events, read as the WHATWG rules say, for any chunking.
