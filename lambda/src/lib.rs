//! Signalbox as an AWS Lambda function: the core's ports over an HTTP client and DynamoDB.

mod function;
pub mod http;
mod nodelay;
pub mod ports;
mod reply;
mod request;
pub mod store;

pub use function::run;
