//! The bootstrap that Lambda starts.

use lambda_http::Error;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

fn main() -> Result<(), Error> {
    // An environment serves one event at a time on (a share of) one core: one thread is all it takes.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, signalbox_lambda::run())
}
