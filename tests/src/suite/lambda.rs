//! The third level: the real bootstrap behind a local Function URL, with a local DynamoDB.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::bindings;
use super::packages;
use super::socket::Socket;
use crate::lambda::{LambdaLocal, Options};
use crate::simulator::Simulator;

/// A function of its own. Dropping it ends its processes.
#[derive(Debug)]
pub struct Lambda {
    local: Arc<LambdaLocal>,
    simulator: Arc<Simulator>,
}

impl Lambda {
    /// Starts the function with the suite's bindings and a case's changes to them, on at most `instances` processes.
    /// Between events they are frozen, as Lambda does it: what is not done by then is not done.
    ///
    /// # Errors
    /// It cannot be built, or does not start; what it said is part of the error.
    pub fn start(
        simulator: Arc<Simulator>,
        changes: &BTreeMap<String, Option<String>>,
        instances: usize,
    ) -> Result<Lambda, String> {
        let mut options = Options::new(packages::bootstrap()?);
        options.instances = instances;
        options.freeze = true;
        for (name, value) in bindings(&simulator.url(), changes) {
            options = options.env(&name, value);
        }
        let local = LambdaLocal::start(options).map_err(|error| format!("the function did not start: {error}"))?;
        Ok(Lambda { local: Arc::new(local), simulator })
    }

    /// The function.
    pub fn local(&self) -> &LambdaLocal {
        &self.local
    }

    /// A client of it, as a level.
    ///
    /// # Errors
    /// None in practice: the URL is plain HTTP.
    pub fn level(&self) -> std::io::Result<Socket> {
        let local = Arc::clone(&self.local);
        Socket::new("lambda", self.local.url(), Arc::clone(&self.simulator), move || local.logs())
    }
}
