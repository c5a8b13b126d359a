//! The function: one event in, one answer out.

use crate::archive::Bucket;
use crate::http::HttpClient;
use crate::nodelay;
use crate::ports::LambdaPorts;
use crate::reply;
use crate::request::EventRequest;
use crate::store::{Connection, Store, connect};
use lambda_http::request::RequestContext;
use lambda_http::{Error, Request, RequestExt, service_fn};
use signalbox::app::App;
use signalbox::http::Head;
use signalbox::pipeline::Reply;
use std::future::Future;
use std::net::{SocketAddr, ToSocketAddrs};
use tokio::sync::oneshot;

/// Polls for events and answers them until the environment ends.
pub async fn run() -> Result<(), Error> {
    let table =
        variable("SIGNALBOX_TABLE").ok_or("SIGNALBOX_TABLE is not set: it names the function's DynamoDB table")?;
    let connection = Connection::from_env(variable)?;
    let store = Store::new(connect(&connection), table);
    let ports = LambdaPorts::new(HttpClient::default(), store, Bucket::from_env(variable)?);
    let app = App::new(ports.clone(), binding);
    let api = variable("AWS_LAMBDA_RUNTIME_API").and_then(|api| api.to_socket_addrs().ok()?.next());
    let outcome = match variable("SIGNALBOX_RESPONSE_MODE").as_deref() {
        Some("buffered") => {
            lambda_http::run(service_fn(|event: Request| {
                let (app, ports) = (app.clone(), ports.clone());
                apart(async move {
                    let path = event.uri().path().to_owned();
                    let reply = serve(&app, event, api).await;
                    Ok::<_, Error>(reply::buffered(&ports, reply, &path).await)
                })
            }))
            .await
        }
        Some(_) | None => {
            lambda_http::run_with_streaming_response(service_fn(|event| {
                let (app, ports) = (app.clone(), ports.clone());
                apart(async move {
                    let reply = serve(&app, event, api).await;
                    Ok::<_, Error>(reply::streamed(ports, reply))
                })
            }))
            .await
        }
    };
    // The runtime gives up when its socket is reset: what is under way still settles.
    ports.drain().await;
    outcome
}

async fn serve(
    app: &App<LambdaPorts>,
    event: Request,
    api: Option<SocketAddr>,
) -> Reply<signalbox::app::Standard<LambdaPorts>> {
    if let Some(api) = api {
        nodelay::set(api);
    }
    if is_the_clock(&event) {
        app.tend().await;
        return Reply::whole(Head::new(204, "text/plain"), Vec::new());
    }
    app.serve(EventRequest::new(event)).await
}

/// What the schedule of `template.yaml` says it is, where a Function URL names itself: no caller can say it.
const CLOCK: &str = "signalbox-schedule";

/// Whether an event is the schedule's, which comes once a minute in the shape of a request.
fn is_the_clock(event: &Request) -> bool {
    match event.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.apiid.as_deref() == Some(CLOCK),
        // The enum is open; whatever else comes is a request.
        Some(_) | None => false,
    }
}

/// Runs `work`, which stays on this thread, and hands its result to the runtime, which wants a future
/// that could move. A panic in it is an error of this one event.
fn apart<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + 'static,
) -> impl Future<Output = Result<T, Error>> + Send {
    let (sender, receiver) = oneshot::channel();
    tokio::task::spawn_local(async move {
        let _ = sender.send(work.await);
    });
    async move { receiver.await.map_err(|_| Error::from("the request's handling broke off"))? }
}

/// An environment variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A binding: a variable, or for `SIGNALBOX_CONFIG=file:NAME` the file beside the function, because
/// all variables together may have 4 kB.
fn binding(name: &str) -> Option<String> {
    let value = variable(name)?;
    match value.strip_prefix("file:") {
        Some(file) if name == "SIGNALBOX_CONFIG" => {
            let folder = variable("LAMBDA_TASK_ROOT").unwrap_or_else(|| ".".to_owned());
            let path = std::path::Path::new(&folder).join(file.trim());
            // A file that is named and missing must not pass for an empty configuration.
            Some(
                std::fs::read_to_string(&path)
                    .unwrap_or_else(|error| format!("cannot read {}: {error}", path.display())),
            )
        }
        Some(_) | None => Some(value),
    }
}
