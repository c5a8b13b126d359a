//! Google's paths: model and method stand in them, `/v1beta/models/{model}:{method}`, and the same below
//! a project and a location of Vertex AI, where some SDKs can be pointed too.

use crate::dialect::{Dialect, Endpoint, Framing};
use crate::http::{percent_decode, query_parameter};
use crate::operation::Operation;

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Generate,
    Stream,
    Count,
}

const METHODS: [(&str, Method); 3] =
    [("generateContent", Method::Generate), ("streamGenerateContent", Method::Stream), ("countTokens", Method::Count)];

/// Whether errors of this path are Google's.
pub(super) fn speaks(path: &str) -> bool {
    path.starts_with("/v1beta/") || path.starts_with("/v1beta1/") || call(path).is_some()
}

/// What a path and a query ask for; `None` for every other path.
pub(super) fn operation(path: &str, query: &str) -> Option<Operation> {
    let (model, method) = call(path)?;
    let events = query_parameter(query, "alt")
        .or_else(|| query_parameter(query, "$alt"))
        .is_some_and(|alt| alt.starts_with("sse"));
    let endpoint = Endpoint {
        dialect: Dialect::Gemini,
        model: Some(model).filter(|model| !model.is_empty()),
        stream: Some(method == Method::Stream),
        framing: if events { Framing::Events } else { Framing::JsonArray },
    };
    Some(match method {
        Method::Generate | Method::Stream => Operation::Chat(endpoint),
        Method::Count => Operation::CountTokens(endpoint),
    })
}

/// Model and method. A model's own name may hold colons and slashes (`openai:gpt-5.4`), so the method is
/// what stands at the end.
fn call(path: &str) -> Option<(String, Method)> {
    let rest = ["/v1beta/", "/v1/", "/v1beta1/"].into_iter().find_map(|version| path.strip_prefix(version))?;
    let rest = match rest.split_once("/models/") {
        Some((place, model)) if place.starts_with("projects/") || place.starts_with("publishers/") => model,
        Some(_) | None => rest.strip_prefix("models/")?,
    };
    let (model, method) = METHODS.into_iter().find_map(|(name, method)| Some((strip_method(rest, name)?, method)))?;
    let model = percent_decode(model);
    // Some clients write the resource's whole name where only its last part belongs.
    Some((model.strip_prefix("models/").map_or(model.clone(), str::to_owned), method))
}

/// What stands before the method, whose colon some clients escape.
fn strip_method<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    let bare = rest.strip_suffix(name)?;
    bare.strip_suffix(':').or_else(|| bare.strip_suffix("%3A")).or_else(|| bare.strip_suffix("%3a"))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_model_method_and_form() {
        let events = "alt=sse";
        for (path, query, model, stream, framing) in [
            ("/v1beta/models/gemini-2.5-flash:generateContent", "", "gemini-2.5-flash", false, Framing::JsonArray),
            ("/v1/models/gemini-2.5-flash:streamGenerateContent", events, "gemini-2.5-flash", true, Framing::Events),
            (
                "/v1beta/models/openai:gpt-5.4:streamGenerateContent",
                "key=k&%24alt=sse",
                "openai:gpt-5.4",
                true,
                Framing::Events,
            ),
            ("/v1beta/models/openai%3Agpt-5.4%3AgenerateContent", "", "openai:gpt-5.4", false, Framing::JsonArray),
            ("/v1beta/models/openai/gpt-5.4:streamGenerateContent", "", "openai/gpt-5.4", true, Framing::JsonArray),
            ("/v1beta/models/models%2Ffast:generateContent", "", "fast", false, Framing::JsonArray),
            (
                "/v1beta1/projects/p/locations/l/publishers/google/models/fast:generateContent",
                "",
                "fast",
                false,
                Framing::JsonArray,
            ),
            ("/v1beta/models/100%:generateContent", "", "100%", false, Framing::JsonArray),
        ] {
            let Some(Operation::Chat(endpoint)) = operation(path, query) else { panic!("{path}") };
            assert_eq!((endpoint.model.as_deref(), endpoint.stream), (Some(model), Some(stream)), "{path}");
            assert_eq!(endpoint.framing, framing, "{path}");
        }
    }

    #[test]
    fn other_paths_are_not_googles() {
        for path in [
            "/v1/models",
            "/v1/models/openai:gpt-5.4",
            "/v1beta/models/x:embedContent",
            "/v2/models/x:generateContent",
            "/v1/chat/models/x:generateContent",
        ] {
            assert_eq!(operation(path, ""), None, "{path}");
        }
        assert!(matches!(operation("/v1beta/models/x:countTokens", ""), Some(Operation::CountTokens(_))));
        assert!(speaks("/v1beta/nothing") && !speaks("/v1/models/openai:gpt-5.4"));
    }
}
