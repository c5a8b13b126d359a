//! `build-worker [release|debug]` builds `edge/build`; `build-worker sizes` weighs it and fails over the limit.
//!
//! Without an argument the profile is `$PROFILE`, else `release`.

use anyhow::Result;
use signalbox_tools::{bundle, sizes};
use std::env;

fn main() -> Result<()> {
    let layout = bundle::Layout::of_workspace()?;
    let wanted = env::args().nth(1).or_else(|| env::var("PROFILE").ok()).unwrap_or_else(|| "release".into());
    if wanted == "sizes" {
        return sizes::gate(sizes::report(&layout.build())?);
    }
    bundle::build(&layout, bundle::Profile::parse(&wanted)?)?;
    sizes::report(&layout.build())?;
    Ok(())
}
