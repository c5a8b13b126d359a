//! Signalbox as an AWS Lambda function: the core's ports over an HTTP client, DynamoDB and S3.

pub mod archive;
mod function;
pub mod http;
mod nodelay;
pub mod ports;
mod reply;
mod request;
pub mod store;

pub use function::run;
