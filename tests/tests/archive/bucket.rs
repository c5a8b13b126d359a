//! A bucket of S3 in this process: the real protocol, signatures and all, over a map.

use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use signalbox_tests::harness::Background;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// The one bucket there is.
pub(crate) const NAME: &str = "audit-archive";
/// Who may write to it.
pub(crate) const ACCESS_KEY: &str = "archivist";
/// What they sign with.
pub(crate) const SECRET_KEY: &str = "the secret half of the archivist";

#[derive(Clone, Default)]
struct Objects(Arc<Mutex<BTreeMap<String, String>>>);

impl S3 for Objects {
    // As `async_trait` spells it, which is for others' traits alone.
    fn put_object<'a, 'b>(
        &'a self,
        request: S3Request<PutObjectInput>,
    ) -> BoxFuture<'b, S3Result<S3Response<PutObjectOutput>>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let PutObjectInput { bucket, key, body, content_length, .. } = request.input;
            if bucket != NAME {
                return Err(s3_error!(NoSuchBucket));
            }
            let body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
            let text = body.map_ok(|bytes| bytes.to_vec()).try_concat().await.map_err(|_| s3_error!(BadDigest))?;
            assert_eq!(content_length.and_then(|length| usize::try_from(length).ok()), Some(text.len()));
            self.0.lock().unwrap().insert(key, String::from_utf8(text).unwrap());
            Ok(S3Response::new(PutObjectOutput::default()))
        })
    }
}

/// A running S3. Dropping it ends it.
pub(crate) struct Bucket {
    url: String,
    objects: Objects,
    _background: Background,
}

impl Bucket {
    pub(crate) fn start() -> Bucket {
        let objects = Objects::default();
        let mut service = S3ServiceBuilder::new(objects.clone());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let start = || async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let url = format!("http://{}", listener.local_addr()?);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
                    tokio::spawn(serving);
                }
            });
            Ok(url)
        };
        let (background, url) = Background::start("bucket", start, || async {}).unwrap();
        Bucket { url, objects, _background: background }
    }

    /// The endpoint.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Every object.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        self.objects.0.lock().unwrap().clone()
    }
}
