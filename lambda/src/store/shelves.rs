//! Shelves of records in the table, an item a record; see [`signalbox::records`].

use super::expression::Expression;
use super::retry::{StoreError, Tries};
use super::{Item, Store, key, number, number_of, text, text_of};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};
use signalbox::records::{Expect, Range, Record, Write};
use signalbox::units::Timestamp;

/// Nothing sorts after the last character there is.
const LAST: char = '\u{10FFFF}';
/// How many records are looked at together at the least: some may have expired.
const LEAST_PAGE: usize = 64;

impl Store {
    /// A record, if there is one at `now`.
    pub async fn read_record(&self, shelf: &str, name: &str, now: Timestamp) -> Result<Option<Record>, StoreError> {
        Ok(self.read_item(shelf, name).await?.and_then(|item| record(&item, now)))
    }

    async fn read_item(&self, shelf: &str, name: &str) -> Result<Option<Item>, StoreError> {
        let mut tries = Tries::of("read a record");
        loop {
            let request = self.client.get_item().table_name(&self.table).set_key(Some(key(partition(shelf), name)));
            match request.consistent_read(true).send().await {
                Ok(found) => return Ok(found.item),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// Records in the order of their keys.
    pub async fn list_records(&self, shelf: &str, range: &Range, now: Timestamp) -> Result<Vec<Record>, StoreError> {
        let mut tries = Tries::of("list records");
        let after = range.after.as_deref();
        // Both ends count as inside; `after` itself is left out below.
        let low = after.filter(|after| !range.descending && *after > range.prefix.as_str()).unwrap_or(&range.prefix);
        let high = format!("{}{LAST}", range.prefix);
        let high = after.filter(|after| range.descending && *after < high.as_str()).map_or(high.clone(), str::to_owned);
        if low > high.as_str() {
            return Ok(Vec::new());
        }
        let (mut records, mut from) = (Vec::new(), None);
        loop {
            let request = self.client.query().table_name(&self.table).consistent_read(true);
            let request = request.scan_index_forward(!range.descending);
            let request = match low {
                // A key cannot be compared with nothing.
                "" => request.key_condition_expression("pk = :shelf AND sk <= :high"),
                low => request
                    .key_condition_expression("pk = :shelf AND sk BETWEEN :low AND :high")
                    .expression_attribute_values(":low", text(low)),
            };
            let request = request
                .expression_attribute_values(":shelf", text(partition(shelf)))
                .expression_attribute_values(":high", text(&high));
            // What is wanted, what comes before it and what has expired: not all there is, up to a megabyte.
            let page = range.limit.saturating_sub(records.len()).saturating_add(1).max(LEAST_PAGE);
            let request = request.limit(i32::try_from(page).unwrap_or(i32::MAX));
            match request.set_exclusive_start_key(from.clone()).send().await {
                Ok(page) => {
                    let inside =
                        |record: &Record| record.key.starts_with(&range.prefix) && Some(record.key.as_str()) != after;
                    records.extend(page.items().iter().filter_map(|item| record(item, now)).filter(inside));
                    from = page.last_evaluated_key;
                    if from.is_none() || records.len() >= range.limit {
                        records.truncate(range.limit);
                        return Ok(records);
                    }
                }
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// Makes a change, or nothing of it: `false` when an expectation does not hold.
    pub async fn write_records(&self, shelf: &str, writes: &[Write], now: Timestamp) -> Result<bool, StoreError> {
        if writes.is_empty() {
            return Ok(true);
        }
        let mut tries = Tries::of("write records");
        let mut unknown = false;
        loop {
            let mut items = Vec::with_capacity(writes.len());
            for write in writes {
                let anew = self.begins_anew(shelf, write, now).await?;
                items.push(self.item(shelf, write, anew, now)?);
            }
            match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
                Ok(_) => return Ok(true),
                Err(error) => match error.as_service_error() {
                    Some(refusal) if is_refused(refusal) => {
                        // The conflict may be with an earlier try of our own whose answer was lost.
                        return if unknown { self.are_written(shelf, writes, now).await } else { Ok(false) };
                    }
                    Some(_) | None => {
                        tries.again(error).await?;
                        unknown = true;
                    }
                },
            }
        }
    }

    /// Whether a record is written over one that has expired and is still in the table: its versions begin anew.
    async fn begins_anew(&self, shelf: &str, write: &Write, now: Timestamp) -> Result<bool, StoreError> {
        match write.expect {
            Expect::Absent => Ok(true),
            Expect::Version(_) => Ok(false),
            Expect::Anything if write.value.is_none() => Ok(false),
            Expect::Anything => {
                Ok(self.read_item(shelf, &write.key).await?.is_some_and(|item| record(&item, now).is_none()))
            }
        }
    }

    fn item(&self, shelf: &str, write: &Write, anew: bool, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let place = key(partition(shelf), &write.key);
        let mut expression = Expression::default();
        match write.expect {
            Expect::Anything => {}
            // One that has expired is not there, though it may not have been removed yet.
            Expect::Absent => expression.require_unless_absent("expires_ms", "<=", number(now.0)),
            Expect::Version(version) => {
                expression.require("version", "=", number(version));
                expression.require_unless_absent("expires_ms", ">", number(now.0));
            }
        }
        // `require_unless_absent` is content where there is neither time nor item; an item without a time is there.
        if write.expect == Expect::Absent {
            let (place, end) = (expression.name("pk"), expression.name("expires_ms"));
            expression.require_any(format!("attribute_not_exists({place}) OR attribute_exists({end})"));
        }
        let item = TransactWriteItem::builder();
        let counted = match write.expect {
            Expect::Version(version) => Some(version.saturating_add(1)),
            Expect::Absent | Expect::Anything => anew.then_some(1),
        };
        let made = match (&write.value, counted) {
            (None, _) => Delete::builder()
                .table_name(&self.table)
                .set_key(Some(place))
                .set_condition_expression(expression.condition())
                .set_expression_attribute_names(expression.names())
                .set_expression_attribute_values(expression.values())
                .build()
                .map(|delete| item.delete(delete)),
            (Some(value), None) => {
                expression.set("value", text(value));
                expression.add("version", 1);
                match write.expires_at {
                    Some(at) => {
                        expression.set("expires_ms", number(at.0));
                        expression.set("expires", number(at.0.div_ceil(1_000)));
                    }
                    None => {
                        expression.remove("expires_ms");
                        expression.remove("expires");
                    }
                }
                Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(place))
                    .set_update_expression(expression.update())
                    .set_condition_expression(expression.condition())
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .build()
                    .map(|update| item.update(update))
            }
            (Some(value), Some(version)) => {
                let mut whole = place;
                whole.extend([("value".to_owned(), text(value)), ("version".to_owned(), number(version))]);
                if let Some(at) = write.expires_at {
                    whole.insert("expires_ms".to_owned(), number(at.0));
                    whole.insert("expires".to_owned(), number(at.0.div_ceil(1_000)));
                }
                Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(whole))
                    .set_condition_expression(expression.condition())
                    .set_expression_attribute_names(expression.names())
                    .set_expression_attribute_values(expression.values())
                    .build()
                    .map(|put| item.put(put))
            }
        };
        made.map(|item| item.build())
            .map_err(|error| StoreError { operation: "write records", detail: error.to_string() })
    }

    /// Whether every record is as this change would have left it.
    async fn are_written(&self, shelf: &str, writes: &[Write], now: Timestamp) -> Result<bool, StoreError> {
        for write in writes {
            let found = self.read_record(shelf, &write.key, now).await?;
            let same = match (&write.value, found, write.expect) {
                (None, None, _) => true,
                (Some(value), Some(record), Expect::Anything) => record.value == *value,
                (Some(value), Some(record), Expect::Absent) => record.value == *value && record.version == 1,
                (Some(value), Some(record), Expect::Version(before)) => {
                    record.value == *value && record.version == before.saturating_add(1)
                }
                (None, Some(_), _) | (Some(_), None, _) => false,
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

pub(super) fn partition(shelf: &str) -> String {
    format!("shelf#{shelf}")
}

pub(super) fn record(item: &Item, now: Timestamp) -> Option<Record> {
    let alive = number_of(item, "expires_ms").is_none_or(|end| now < Timestamp(end));
    let record = || {
        Some(Record { key: text_of(item, "sk")?, value: text_of(item, "value")?, version: number_of(item, "version")? })
    };
    if alive { record() } else { None }
}

/// Whether a transaction was cancelled by a condition of ours, not by others at work on the same items.
fn is_refused(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { return false };
    cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}
