//! Signalbox as an AWS Lambda function: ports over an HTTP client and DynamoDB.

#![forbid(unsafe_code)]

pub mod store;
