//! Virtual keys by their hash. What a record says is the gateway's business; here it is text.

use super::retry::{StoreError, Tries};
use super::{Store, key, text, text_of};
use aws_sdk_dynamodb::types::ReturnValue;

const KEYS: &str = "keys";

impl Store {
    /// Puts a key's record, in the place of one that is there.
    pub async fn put_key(&self, hash: &str, record: &str) -> Result<(), StoreError> {
        let mut tries = Tries::of("write a key");
        loop {
            let mut item = key(KEYS, hash);
            item.insert("record".to_owned(), text(record));
            match self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await {
                Ok(_) => return Ok(()),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// The record of the key with this hash.
    pub async fn get_key(&self, hash: &str) -> Result<Option<String>, StoreError> {
        let mut tries = Tries::of("read a key");
        loop {
            let request = self.client.get_item().table_name(&self.table).set_key(Some(key(KEYS, hash)));
            match request.consistent_read(true).send().await {
                Ok(found) => return Ok(found.item.and_then(|item| text_of(&item, "record"))),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// Removes a key at once; answers the record it had, `None` if there was none.
    pub async fn delete_key(&self, hash: &str) -> Result<Option<String>, StoreError> {
        let mut tries = Tries::of("remove a key");
        loop {
            let request = self.client.delete_item().table_name(&self.table).set_key(Some(key(KEYS, hash)));
            match request.return_values(ReturnValue::AllOld).send().await {
                Ok(gone) => return Ok(gone.attributes.and_then(|item| text_of(&item, "record"))),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// All keys as (hash, record), ordered by hash, one page after another.
    pub async fn list_keys(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut tries = Tries::of("list the keys");
        let (mut keys, mut from) = (Vec::new(), None);
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :keys")
                .expression_attribute_values(":keys", text(KEYS))
                .set_exclusive_start_key(from.clone());
            match request.send().await {
                Ok(page) => {
                    keys.extend(
                        page.items().iter().filter_map(|item| Some((text_of(item, "sk")?, text_of(item, "record")?))),
                    );
                    from = page.last_evaluated_key;
                    if from.is_none() {
                        return Ok(keys);
                    }
                }
                Err(error) => tries.again(error).await?,
            }
        }
    }
}
