//! The local Lambda: a real bootstrap binary behind a local Function URL, with a local DynamoDB, and no AWS and no container.
//!
//! What is as on AWS:
//! - the function is a process that polls the Runtime API, one invocation at a time; more concurrency is more processes,
//!   started on demand; between events it can be frozen (SIGSTOP);
//! - events are Function URL events (payload format 2.0); answers are streamed (prelude, eight NULs, body) or buffered JSON;
//! - 6 MB for requests and buffered answers, 200 MB for streamed ones; a deadline, at which the process is killed;
//! - a caller who leaves does not stop the function; a function that dies cuts its answer and is replaced on the next request.
//!
//! What is not: a request over the limit of instances waits in place of a 429; no bandwidth limit; no IAM.

mod answer;
mod dynamodb;
mod event;
mod instance;
mod local;
mod logs;
mod options;
mod pool;
mod runtime_api;
mod url;

pub use dynamodb::{DynamoDb, Table};
pub use instance::Status;
pub use local::LambdaLocal;
pub use options::{Options, State};
