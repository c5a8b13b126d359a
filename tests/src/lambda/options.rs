//! How a local Lambda is started, and the environment its function sees.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::dynamodb::Table;

/// Where DynamoDB keeps its tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Gone with the process.
    Memory,
    /// In `dynamodb.sqlite` in this folder, which is created.
    Folder(PathBuf),
}

/// How a local Lambda is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The function's binary.
    pub bootstrap: PathBuf,
    /// The Function URL's port; 0 takes any.
    pub port: u16,
    /// Most processes at a time; requests beyond that wait.
    pub instances: usize,
    /// Stop each process between events, as Lambda does.
    pub freeze: bool,
    /// The Function URL's invoke mode is BUFFERED: the answer is sent when it is whole, 6 MB at most.
    pub buffered: bool,
    /// The function's timeout, from event to the end of its answer.
    pub timeout: Duration,
    /// DynamoDB's tables; created where they are missing. The first is told to the function as `SIGNALBOX_TABLE`.
    pub tables: Vec<Table>,
    /// Where they are kept.
    pub state: State,
    /// Environment of the function, over everything else.
    pub env: Vec<(String, String)>,
    /// Pass on this process's own `*_API_KEY`, `*_BASE_URL`, `SIGNALBOX_*`, `BEDROCK_*` and `CLOUDFLARE_ACCOUNT_ID`.
    pub inherit: bool,
    /// Print the function's output on standard error.
    pub echo: bool,
}

impl Options {
    /// Ten processes at most, a table in memory, nothing inherited, nothing printed.
    pub fn new(bootstrap: impl Into<PathBuf>) -> Options {
        Options {
            bootstrap: bootstrap.into(),
            port: 0,
            instances: 10,
            freeze: false,
            buffered: false,
            timeout: Duration::from_secs(900),
            tables: vec![Table::default()],
            state: State::Memory,
            env: Vec::new(),
            inherit: false,
            echo: false,
        }
    }

    /// Sets a variable of the function's environment.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Options {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Everything the function finds in its environment, but for the address of its own Runtime API. Later entries win.
    pub(crate) fn environment(&self, dynamodb: &str) -> Vec<(String, String)> {
        let root = self.bootstrap.parent().map(|path| path.display().to_string()).unwrap_or_default();
        let table = self.tables.first().map(|table| table.name.as_str()).unwrap_or_default();
        let fixed = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            ("AWS_LAMBDA_FUNCTION_NAME", "signalbox"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/signalbox"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("_HANDLER", "bootstrap"),
            ("LAMBDA_TASK_ROOT", &root),
            ("TZ", ":UTC"),
            ("SIGNALBOX_TABLE", table),
        ];
        let fixed = fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let own = std::env::vars().filter(|(name, _)| is_of_the_machine(name) || (self.inherit && is_passed_on(name)));
        fixed.chain(own).chain(self.env.iter().cloned()).collect()
    }
}

/// What `make dev` and `make dev-lambda` pass on as bindings.
pub(crate) fn is_passed_on(name: &str) -> bool {
    let ends = ["_API_KEY", "_BASE_URL"].iter().any(|end| name.ends_with(end));
    ends || ["SIGNALBOX_", "BEDROCK_"].iter().any(|begin| name.starts_with(begin)) || name == "CLOUDFLARE_ACCOUNT_ID"
}

/// What a program needs of the machine it runs on.
fn is_of_the_machine(name: &str) -> bool {
    ["PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "RUST_LOG", "RUST_BACKTRACE"].contains(&name)
}

/// `http://ADDRESS`.
pub(crate) fn http(address: SocketAddr) -> String {
    format!("http://{address}")
}
