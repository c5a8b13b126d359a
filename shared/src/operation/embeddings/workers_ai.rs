//! Workers AI's text embeddings, over REST in an envelope or by its binding without one
//! (developers.cloudflare.com/workers-ai/models/bge-base-en-v1.5).

use super::read::Request;
use super::{Vectors, texts};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::object;
use crate::dialect::{ProtocolError, Warnings};
use crate::error::ApiError;
use crate::operation::answer;

pub(super) fn write(request: &Request<'_>, warnings: &mut Warnings) -> Result<Vec<u8>, ApiError> {
    let texts = texts(request, "Workers AI")?;
    for (name, asked) in [
        ("dimensions", request.dimensions.is_some()),
        ("input_type", request.input_type.is_some()),
        ("truncate", request.truncate.is_some()),
    ] {
        if asked {
            warnings.dropped(name);
        }
    }
    request.unknown.iter().for_each(|name| warnings.dropped(name));
    let mut out = Vec::with_capacity(32 + texts.iter().map(|text| text.len() + 8).sum::<usize>());
    object(&mut out, |o| o.array("text", |a| texts.iter().for_each(|text| a.string(text))));
    Ok(out)
}

pub(super) fn read(body: &[u8]) -> Result<Vectors<'_>, ProtocolError> {
    let path = Path::Root;
    let mut top = answer::open(answer::text(body)?, &path, &["data", "result"])?;
    let wrong = || ProtocolError::WrongShape("the answer has no vectors");
    if let Some(result) = top.take("result") {
        top = Object::read(result.get(), &path).map_err(|_| wrong())?;
    }
    let data = top.take("data").ok_or_else(wrong)?;
    let vectors = crate::json::parse(data.get()).map_err(|_| wrong())?;
    Ok(Vectors { vectors, usage: answer::input(&mut top) })
}
