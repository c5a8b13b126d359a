//! A DynamoDB client from the function's environment, without the weight of `aws-config`.

use super::retry::{StoreError, failed};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::time::Duration;

/// Where and as whom to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    region: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    endpoint: Option<String>,
}

impl Connection {
    /// From the variables Lambda sets, and `AWS_ENDPOINT_URL_DYNAMODB`; the error names what is missing.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Connection, String> {
        let wanted =
            |name: &str| variable(name).filter(|value| !value.is_empty()).ok_or_else(|| format!("{name} is not set"));
        Ok(Connection {
            region: wanted("AWS_REGION")
                .or_else(|_| wanted("AWS_DEFAULT_REGION"))
                .map_err(|_| "AWS_REGION is not set".to_owned())?,
            access_key_id: wanted("AWS_ACCESS_KEY_ID")?,
            secret_access_key: wanted("AWS_SECRET_ACCESS_KEY")?,
            session_token: variable("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
            endpoint: variable("AWS_ENDPOINT_URL_DYNAMODB")
                .or_else(|| variable("AWS_ENDPOINT_URL"))
                .filter(|url| !url.is_empty()),
        })
    }

    /// The client's configuration. Retries are ours: a repeated write must first look whether it happened.
    pub fn config(&self) -> aws_sdk_dynamodb::config::Builder {
        let credentials = Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            self.session_token.clone(),
            None,
            "environment",
        );
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(1))
                    .operation_attempt_timeout(Duration::from_secs(2))
                    .build(),
            );
        match &self.endpoint {
            Some(url) => config.endpoint_url(url),
            None => config,
        }
    }
}

/// A client for the connection. Only a connection in the clear goes without TLS.
pub fn connect(connection: &Connection) -> Client {
    let clear = connection.endpoint.as_ref().is_some_and(|url| url.starts_with("http://"));
    let http = if clear {
        Builder::new().build_http()
    } else {
        Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
    };
    Client::from_conf(connection.config().http_client(http).build())
}

/// Makes the table where there is none, as local runs and tests need it; `template.yaml` does for AWS.
pub async fn create_table(client: &Client, table: &str) -> Result<(), StoreError> {
    let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, role) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute =
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
        let element = KeySchemaElement::builder().attribute_name(name).key_type(role).build();
        request = request
            .attribute_definitions(attribute.map_err(|error| failed("create table", error))?)
            .key_schema(element.map_err(|error| failed("create table", error))?);
    }
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => Ok(()),
        Err(error) => Err(failed("create table", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let missing = |gone: &str| {
            Connection::from_env(|name| (name != gone && name != "AWS_DEFAULT_REGION").then(|| "x".to_owned()))
        };
        for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            assert_eq!(missing(name), Err(format!("{name} is not set")));
        }
        assert!(missing("AWS_SESSION_TOKEN").is_ok_and(|connection| connection.session_token.is_none()));
    }
}
