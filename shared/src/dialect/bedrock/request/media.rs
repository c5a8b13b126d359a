//! Images, documents and sound. Bytes travel in base64; Bedrock fetches nothing but from S3.

use crate::dialect::ir::{Media, MediaKind, Source};
use crate::dialect::json_write::{Items, Members};
use crate::dialect::{Dialect, Effect, Warnings};
use crate::sorted::SortedSet;

/// Names of documents, which must be unique within a request.
#[derive(Debug, Default)]
pub(super) struct Names(SortedSet<String>);

/// Writes a block, or names in the warnings why there is none.
pub(super) fn write(
    a: &mut Items<'_>,
    origin: Dialect,
    path: &str,
    media: &Media,
    names: &mut Names,
    warnings: &mut Warnings,
) {
    let Some(format) = format(media) else { return warnings.dropped(path) };
    match media.kind {
        MediaKind::Image => {
            if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
                warnings.dropped(origin.image_detail_path(path));
            }
            a.object(|o| o.object("image", |o| write_source(o, &format, &media.source)));
        }
        MediaKind::Audio => a.object(|o| o.object("audio", |o| write_source(o, &format, &media.source))),
        MediaKind::Document => {
            let name = names.fit(media.name.as_deref());
            if media.name.as_deref().is_some_and(|wish| without_extension(wish) != name) {
                warnings.add(path, Effect::Converted);
            }
            a.object(|o| {
                o.object("document", |o| {
                    o.string("name", &name);
                    write_source(o, &format, &media.source);
                    o.maybe_string("context", media.context.as_deref());
                    o.maybe_json("citations", media.citations.as_ref());
                });
            });
        }
    }
}

fn write_source(o: &mut Members<'_>, format: &str, source: &Source) {
    o.string("format", format);
    o.object("source", |o| match source {
        Source::Base64 { data, .. } => o.string("bytes", data),
        Source::Url(uri) => o.object("s3Location", |o| o.string("uri", uri)),
        Source::Text(text) => o.string("text", text),
        Source::File(_) | Source::Opaque(_) => {}
    });
}

/// What Bedrock calls the format; `None` when it could not be given the bytes.
fn format(media: &Media) -> Option<String> {
    let by_extension = |text: &str| known(media.kind, text.rsplit_once('.')?.1);
    match &media.source {
        Source::Base64 { media_type, .. } => {
            let subtype = media_type.rsplit_once('/').map_or(media_type.as_str(), |(_, subtype)| subtype);
            known(media.kind, subtype).or_else(|| by_extension(media.name.as_deref()?))
        }
        Source::Url(uri) if uri.starts_with("s3://") => by_extension(uri),
        Source::Text(_) if media.kind == MediaKind::Document => Some("txt".to_owned()),
        Source::Text(_) | Source::Url(_) | Source::File(_) | Source::Opaque(_) => None,
    }
}

/// The format a media type or an extension stands for.
fn known(kind: MediaKind, name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let format = match (kind, name.as_str()) {
        (MediaKind::Image, "jpg" | "jpeg") => "jpeg",
        (MediaKind::Image, "png" | "gif" | "webp") => &name,
        (MediaKind::Document, "plain" | "txt") => "txt",
        (MediaKind::Document, "markdown" | "x-markdown" | "md") => "md",
        (MediaKind::Document, "msword" | "doc") => "doc",
        (MediaKind::Document, "vnd.openxmlformats-officedocument.wordprocessingml.document" | "docx") => "docx",
        (MediaKind::Document, "vnd.ms-excel" | "xls") => "xls",
        (MediaKind::Document, "vnd.openxmlformats-officedocument.spreadsheetml.sheet" | "xlsx") => "xlsx",
        (MediaKind::Document, "pdf" | "csv" | "html") => &name,
        (MediaKind::Audio, "mpeg" | "mp3") => "mp3",
        (MediaKind::Audio, "x-wav" | "wave" | "wav") => "wav",
        (MediaKind::Audio, "opus" | "aac" | "flac" | "ogg" | "m4a" | "webm" | "mp4" | "pcm") => &name,
        (MediaKind::Image | MediaKind::Document | MediaKind::Audio, _) => return None,
    };
    Some(format.to_owned())
}

fn without_extension(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((base, extension)) if known(MediaKind::Document, extension).is_some() => base,
        Some(_) | None => name,
    }
}

impl Names {
    /// A name Bedrock takes: letters, digits, single spaces, hyphens, parentheses and brackets.
    fn fit(&mut self, wish: Option<&str>) -> String {
        let mut name = String::new();
        for c in wish.map_or("Document", without_extension).chars().take(180) {
            match c {
                c if c.is_ascii_alphanumeric() || "-()[]".contains(c) => name.push(c),
                c if c.is_whitespace() => {
                    if !name.ends_with(' ') {
                        name.push(' ');
                    }
                }
                _ => name.push('-'),
            }
        }
        let name = match name.trim() {
            "" => "Document",
            name => name,
        };
        let mut unique = name.to_owned();
        // Documents that share a name are numbered by how many there are: no search from 1 each time.
        while !self.0.insert(unique.clone()) {
            unique = format!("{name} {}", self.0.len() + 1);
            if self.0.contains(&unique) {
                unique = format!("{unique} {}", self.0.len());
            }
        }
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_names_are_made_fit_and_unique() {
        let mut names = Names::default();
        for (wish, name) in [
            (None, "Document"),
            (None, "Document 2"),
            (Some("report.pdf"), "report"),
            (Some("report"), "report 4"),
            (Some("Q3_2025  final.v2.xlsx"), "Q3-2025 final-v2"),
            (Some("../étude"), "----tude"),
            (Some("  "), "Document 7"),
        ] {
            assert_eq!(names.fit(wish), name, "{wish:?}");
        }
    }
}
