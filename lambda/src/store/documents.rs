//! Small named documents with versions: the configuration.

use super::retry::{StoreError, Tries};
use super::{Store, key, number, number_of, text, text_of};

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Counts the writes, from 1.
    pub version: u64,
    /// The text as it was put.
    pub body: String,
}

/// What came of putting a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutDocument {
    /// It is stored under this version.
    Stored(u64),
    /// Somebody else has put a version since; nothing was changed.
    Conflict,
}

impl Store {
    /// A document, if there is one.
    pub async fn get_document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        let mut tries = Tries::of("read a document");
        loop {
            let request = self
                .client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(key(format!("document#{name}"), "document")));
            match request.consistent_read(true).send().await {
                Ok(found) => {
                    return Ok(found.item.and_then(|item| {
                        Some(Document { version: number_of(&item, "version")?, body: text_of(&item, "body")? })
                    }));
                }
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// Puts a document in the place of `version` (0: where there is none yet). At most 400 kB.
    pub async fn put_document(&self, name: &str, version: u64, body: &str) -> Result<PutDocument, StoreError> {
        let mut tries = Tries::of("write a document");
        let next = version.saturating_add(1);
        loop {
            let mut item = key(format!("document#{name}"), "document");
            item.extend([("version".to_owned(), number(next)), ("body".to_owned(), text(body))]);
            let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
            let request = match version {
                0 => request.condition_expression("attribute_not_exists(pk)"),
                _ => request
                    .condition_expression("#v = :v")
                    .expression_attribute_names("#v", "version")
                    .expression_attribute_values(":v", number(version)),
            };
            match request.send().await {
                Ok(_) => return Ok(PutDocument::Stored(next)),
                Err(error)
                    if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
                {
                    // The conflict may be with an earlier try of our own whose answer was lost.
                    let current = self.get_document(name).await?;
                    let ours = current.is_some_and(|document| document.version == next && document.body == body);
                    return Ok(if ours { PutDocument::Stored(next) } else { PutDocument::Conflict });
                }
                Err(error) => tries.again(error).await?,
            }
        }
    }
}
