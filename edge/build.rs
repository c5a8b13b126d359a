//! How large the Worker's stack is. It comes first in memory, so that overrunning it traps, and what is static lies above
//! it. Of 384 KiB, all static addresses are below a mebibyte and take three bytes, not four: sixteen kilobytes of the
//! compressed Worker. Without optimisation frames are several times as large, and addresses may be.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the machine that builds")]

fn main() {
    let small = std::env::var("OPT_LEVEL").is_ok_and(|level| level != "0");
    let bytes = if small { 384 << 10 } else { 4 << 20 };
    println!("cargo::rustc-link-arg-cdylib=-zstack-size={bytes}");
    println!("cargo::rerun-if-changed=build.rs");
}
