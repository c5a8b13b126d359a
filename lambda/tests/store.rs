//! Keys and documents in the table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use signalbox::records::spec::{ShelfUnderTest, check};
use signalbox::records::{Range, Record, Write};
use signalbox::units::Timestamp;
use signalbox_lambda::store::{Document, PutDocument, Store, StoreError};

#[tokio::test]
async fn a_key_is_found_by_its_hash_until_it_is_removed() {
    let store = support::store(&support::database().await);
    assert_eq!(store.get_key("h1").await.unwrap(), None);
    store.put_key("h2", "{\"name\":\"two\"}").await.unwrap();
    store.put_key("h1", "{\"name\":\"one\"}").await.unwrap();
    store.put_key("h1", "{\"name\":\"uno\"}").await.unwrap();
    assert_eq!(store.get_key("h1").await.unwrap().as_deref(), Some("{\"name\":\"uno\"}"));
    let listed = store.list_keys().await.unwrap();
    assert_eq!(listed.iter().map(|(hash, _)| hash.as_str()).collect::<Vec<_>>(), ["h1", "h2"]);
    assert!(store.delete_key("h1").await.unwrap().is_some());
    assert_eq!(store.delete_key("h1").await.unwrap(), None);
    assert_eq!(store.get_key("h1").await.unwrap(), None);
}

/// More keys than one page of a query holds (1 MB).
#[tokio::test]
async fn all_keys_are_listed_page_after_page() {
    let store = support::store(&support::database().await);
    let record = "x".repeat(150_000);
    for key in 0..10 {
        store.put_key(&format!("h{key}"), &record).await.unwrap();
    }
    assert_eq!(store.list_keys().await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_document_is_replaced_only_by_those_who_saw_its_last_version() {
    let store = support::store(&support::database().await);
    assert_eq!(store.get_document("config").await.unwrap(), None);
    assert_eq!(store.put_document("config", 0, "a").await.unwrap(), PutDocument::Stored(1));
    assert_eq!(store.put_document("config", 0, "b").await.unwrap(), PutDocument::Conflict);
    assert_eq!(store.put_document("config", 1, "b").await.unwrap(), PutDocument::Stored(2));
    assert_eq!(store.put_document("config", 1, "c").await.unwrap(), PutDocument::Conflict);
    assert_eq!(store.get_document("config").await.unwrap(), Some(Document { version: 2, body: "b".into() }));
    assert_eq!(store.get_document("other").await.unwrap(), None);
}

/// Fault 24.
#[tokio::test]
async fn a_document_written_without_an_answer_is_no_conflict() {
    let connection = support::database().await;
    for first in 0..4 {
        let (store, _) = support::faulty_store(&connection, 3);
        for _ in 0..first {
            drop(store.get_key("none").await);
        }
        let name = format!("config-{first}");
        for version in 0..6 {
            let put = store.put_document(&name, version, &format!("body {version}")).await.unwrap();
            assert_eq!(put, PutDocument::Stored(version + 1));
        }
    }
}

struct OnTable {
    store: Store,
    shelf: String,
}

impl ShelfUnderTest for OnTable {
    type Error = StoreError;

    async fn read(&mut self, key: &str, now: Timestamp) -> Result<Option<Record>, StoreError> {
        self.store.read_record(&self.shelf, key, now).await
    }

    async fn list(&mut self, range: &Range, now: Timestamp) -> Result<Vec<Record>, StoreError> {
        self.store.list_records(&self.shelf, range, now).await
    }

    async fn write(&mut self, writes: &[Write], now: Timestamp) -> Result<bool, StoreError> {
        self.store.write_records(&self.shelf, writes, now).await
    }
}

#[tokio::test]
async fn a_shelf_answers_as_specified() {
    let store = support::store(&support::database().await);
    for seed in 0..8 {
        let mut shelf = OnTable { store: store.clone(), shelf: format!("shelf-{seed}") };
        assert_eq!(check(&mut shelf, seed, 300, Timestamp(1_791_206_055_000)).await, Ok(()));
    }
}
