//! Each layer can be replaced without touching its neighbours: the pipeline runs on the null layers,
//! and on any mixture of null and real ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use signalbox::catalog::Catalog;
use signalbox::config::{Config, Providers};
use signalbox::dialect::Dialect;
use signalbox::gateway::Gateway;
use signalbox::gateway::null::Open;
use signalbox::operation::Operation;
use signalbox::pipeline::{self, Pipeline, ReplyBody, Stack};
use signalbox::ports::{BodyError, Clock, Request};
use signalbox::proxy::null::Unplugged;
use signalbox::proxy::{HttpProxy, Proxy};
use signalbox::router::null::Direct;
use signalbox::router::{Router, Standard};
use signalbox::units::Millis;
use signalbox_tests::virtual_time::{Options, World};
use std::collections::BTreeMap;
use std::sync::Arc;

struct Ask(&'static str);

impl Request for Ask {
    fn method(&self) -> &str {
        "POST"
    }

    fn path(&self) -> &str {
        "/v1/chat/completions"
    }

    fn query(&self) -> &str {
        ""
    }

    fn header(&self, _name: &str) -> Option<&str> {
        None
    }

    async fn body(self, _limit: usize) -> Result<Vec<u8>, BodyError> {
        Ok(self.0.as_bytes().to_vec())
    }
}

const HELLO: Ask = Ask(r#"{"model":"openai:gpt-5.4-mini","messages":[{"role":"user","content":"Hi"}]}"#);

fn bindings(world: &World) -> BTreeMap<String, String> {
    let url = format!("{}/v1", world.upstream_url());
    [("OPENAI_API_KEY", "none".to_owned()), ("OPENAI_BASE_URL", url)].map(|(name, text)| (name.to_owned(), text)).into()
}

/// Any layers, as a pipeline.
fn pipeline<G, R, X>(world: &World, gateway: G, router: R, proxy: X) -> Arc<Pipeline<Stack<World, G, R, X>>> {
    let config = Config::default();
    let providers = Providers::from(&config, &bindings(world));
    Arc::new(Pipeline {
        layers: Stack { clock: world.clone(), gateway, router, proxy },
        catalog: Arc::new(Catalog::new(&config, &providers)),
        cache: config.cache,
        edition: String::new(),
        context: config.context.clone(),
        guards: signalbox::words::Guards::of(&config),
        transforms: signalbox::transform::Transforms::of(&config),
        rules: config.rules.clone(),
        secrets: Vec::new(),
        retries: config.retries,
        max_body_bytes: 1 << 20,
        passed_call: config.passthrough.per_call,
        total_timeout: config.timeouts.total,
    })
}

/// Serves [`HELLO`] on these layers; the status and the body.
fn serve<G, R, X>(world: &World, gateway: G, router: R, proxy: X) -> (u16, String)
where
    G: Gateway + 'static,
    R: Router + 'static,
    X: Proxy + 'static,
{
    let pipeline = pipeline(world, gateway, router, proxy);
    let reply =
        world.executor().run(pipeline::serve(&pipeline, Operation::Chat(Dialect::OpenAiChat.into()), HELLO)).unwrap();
    match reply.body {
        ReplyBody::Whole(body) => (reply.head.status, String::from_utf8(body.to_vec()).unwrap()),
        ReplyBody::Stream(_) => panic!("the request asks for a whole answer"),
    }
}

#[test]
fn on_null_layers_alone_a_request_is_told_that_nothing_is_plugged_in() {
    let world = World::new(Options::default());
    let (status, body) = serve(&world, Open, Direct, Unplugged);
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("not_configured") && body.contains("openai"), "{body}");
}

#[test]
fn each_layer_works_beside_the_null_ones_of_the_others() {
    let world = World::new(Options::default());
    let config = Arc::new(Config::default());
    let providers = Arc::new(Providers::from(&config, &bindings(&world)));
    let catalog = Arc::new(Catalog::new(&config, &providers));
    let proxy = || HttpProxy::new(world.clone(), providers.clone(), catalog.clone(), config.streams);

    let (status, body) = serve(&world, Open, Direct, proxy());
    assert_eq!(status, 200, "the proxy alone: {body}");
    let (status, body) = serve(&world, Open, Standard::new(config.clone(), catalog.clone()), proxy());
    assert_eq!(status, 200, "the router and the proxy: {body}");
    let (status, body) = serve(&world, Open, Standard::new(config, catalog.clone()), Unplugged);
    assert_eq!(status, 503, "the router alone: {body}");
    assert!(world.log_lines().is_empty(), "the null gateway writes nothing down: {:?}", world.log_lines());
}

/// Fault 71: bodies are pulled, so a caller who reads slowly holds the provider back, and nothing piles up here.
#[test]
fn a_caller_who_does_not_read_on_holds_the_provider_back() {
    let world = World::new(Options::default());
    let config = Arc::new(Config::default());
    let providers = Arc::new(Providers::from(&config, &bindings(&world)));
    let catalog = Arc::new(Catalog::new(&config, &providers));
    let proxy = HttpProxy::new(world.clone(), providers, catalog, config.streams);
    let pipeline = pipeline(&world, Open, Direct, proxy);
    let asked =
        Ask(r#"{"model":"openai:gpt-5.4-mini~words-900","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#);
    let sent = || world.upstream().seen(None).first().map(|seen| seen.bytes_sent);
    world
        .executor()
        .run(async {
            let reply = pipeline::serve(&pipeline, Operation::Chat(Dialect::OpenAiChat.into()), asked).await;
            let ReplyBody::Stream(mut stream) = reply.body else { panic!("the request asks for a stream") };
            let mut read = 0;
            for _ in 0..10 {
                read += stream.next().await.map_or(0, |bytes| bytes.len());
            }
            let before = sent().unwrap();
            assert!(before <= read as u64 + 4_096, "{before} bytes were taken for {read} that were read");
            world.sleep(Millis(60_000)).await;
            assert_eq!(sent(), Some(before), "nobody read on, and the provider went on all the same");
        })
        .unwrap();
}
