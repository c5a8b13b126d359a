//! The chat dialects, each both as a caller's and as a provider's.
