//! Build tools of the workspace, as small programs instead of installed ones: nothing to download, one lock file.
//!
//! - [`bundle`]: from the Worker's crate to the modules workerd loads.
//! - [`pack`]: the same WebAssembly in fewer bytes.
//! - [`sizes`]: how large the bundle is, and the gate that keeps it small.

pub mod bundle;
pub mod pack;
pub mod sizes;
