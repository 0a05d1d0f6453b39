//! What a file says of itself, or what is said beside it.

use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat, Utc};
use insights_proto::reporting::v1::ExportOrder;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::cell::CellValue;

static MESSAGES: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(insights_proto::DESCRIPTOR_SET).unwrap_or_default());

/// What is known of a file before its last byte is written.
#[derive(Clone, Debug, Default)]
pub struct FileManifest {
    /// What it is called.
    pub file_name: String,
    /// What was ordered, as JSON.
    pub order: Value,
    /// When it was written, RFC 3339.
    pub written: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of the rows, whatever the format: every cell as text and a unit separator, after each row a record
    /// separator.
    pub rows_sha256: String,
    /// The version of the figures.
    pub version: i64,
    /// The epoch of that version.
    pub epoch: i64,
    /// How far the data goes.
    pub complete_through: String,
    /// Something was left out because of the owner's roles.
    pub redacted: bool,
    /// Groups may sum to more than the whole.
    pub overlapping: bool,
    /// The locations its rows are bound to, as JSON; none: all.
    pub locations: Option<String>,
}

impl FileManifest {
    /// As names and values, for files that have room for them.
    pub fn lines(&self) -> Vec<(String, String)> {
        let line = |name: &str, value: String| (name.to_owned(), value);
        vec![
            line("file", self.file_name.clone()),
            line("order", self.order.to_string()),
            line("written", self.written.clone()),
            line("rows", self.rows.to_string()),
            line("rows_sha256", self.rows_sha256.clone()),
            line("version", self.version.to_string()),
            line("epoch", self.epoch.to_string()),
            line("complete_through", self.complete_through.clone()),
            line("redacted", self.redacted.to_string()),
            line("overlapping", self.overlapping.to_string()),
            line("locations", self.locations.clone().unwrap_or_else(|| "all".to_owned())),
        ]
    }

    /// The document beside the file, which also knows the file's size and checksum.
    pub fn document(&self, bytes: u64, sha256: &str) -> String {
        let locations = self.locations.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let document = json!({
            "file": self.file_name,
            "bytes": bytes,
            "sha256": sha256,
            "rows": self.rows,
            "rows_sha256": self.rows_sha256,
            "columns": self.columns,
            "order": self.order,
            "written": self.written,
            "version": self.version,
            "epoch": self.epoch,
            "complete_through": self.complete_through,
            "redacted": self.redacted,
            "overlapping": self.overlapping,
            "locations": locations,
        });
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }
}

/// An order as JSON, by the names of the API.
pub fn order_json(order: &ExportOrder) -> Value {
    let kind = MESSAGES.get_message_by_name("insights.reporting.v1.ExportOrder");
    let message = kind.and_then(|kind| DynamicMessage::decode(kind, order.encode_to_vec().as_slice()).ok());
    message.and_then(|message| serde_json::to_value(&message).ok()).unwrap_or_default()
}

/// A time as files spell it.
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The checksum of rows, the same in every format.
#[derive(Default)]
pub struct RowsDigest {
    digest: Sha256,
    waiting: Vec<u8>,
}

impl RowsDigest {
    /// Adds a row.
    pub fn row(&mut self, cells: &[CellValue<'_>]) {
        for cell in cells {
            cell.write(&mut self.waiting);
            self.waiting.push(0x1f);
        }
        self.waiting.push(0x1e);
        if self.waiting.len() >= 64 * 1024 {
            self.digest.update(&self.waiting);
            self.waiting.clear();
        }
    }

    /// The checksum.
    pub fn finish(mut self) -> String {
        self.digest.update(&self.waiting);
        hex::encode(self.digest.finalize())
    }
}
