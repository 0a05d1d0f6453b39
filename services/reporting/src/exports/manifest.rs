//! The manifest of a file, which stands in the file where the format has a place for it, and beside it.

use chrono::{DateTime, SecondsFormat, Utc};
use insights_proto::reporting::v1::ExportOrder;
use prost::Message;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::cell::CellValue;

/// The manifest as known before the file is complete.
#[derive(Clone, Debug, Default)]
pub struct FileManifest {
    /// Name of the file.
    pub file_name: String,
    /// The order as JSON.
    pub order: Value,
    /// Time of writing, RFC 3339.
    pub written: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Number of rows.
    pub rows: u64,
    /// SHA-256 of the rows, the same in every format: each cell as text with a unit separator, each row with a record
    /// separator.
    pub rows_sha256: String,
    /// The version of the figures.
    pub version: i64,
    /// The epoch of that version.
    pub epoch: i64,
    /// Last day of the data.
    pub complete_through: String,
    /// Whether something was left out because of the owner's roles.
    pub redacted: bool,
    /// Whether groups may sum to more than the whole.
    pub overlapping: bool,
    /// Locations that the rows are restricted to, as JSON; `None` for all.
    pub locations: Option<String>,
}

impl FileManifest {
    /// Names and values, for a place inside the file.
    pub fn entries(&self) -> Vec<(String, String)> {
        let entry = |name: &str, value: String| (name.to_owned(), value);
        vec![
            entry("file", self.file_name.clone()),
            entry("order", self.order.to_string()),
            entry("written", self.written.clone()),
            entry("rows", self.rows.to_string()),
            entry("rows_sha256", self.rows_sha256.clone()),
            entry("version", self.version.to_string()),
            entry("epoch", self.epoch.to_string()),
            entry("complete_through", self.complete_through.clone()),
            entry("redacted", self.redacted.to_string()),
            entry("overlapping", self.overlapping.to_string()),
            entry("locations", self.locations.clone().unwrap_or_else(|| "all".to_owned())),
        ]
    }

    /// The JSON document beside the file, with the file's size and checksum.
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
    let kind = insights_proto::descriptors().get_message_by_name("insights.reporting.v1.ExportOrder");
    let message = kind.and_then(|kind| DynamicMessage::decode(kind, order.encode_to_vec().as_slice()).ok());
    message.and_then(|message| serde_json::to_value(&message).ok()).unwrap_or_default()
}

/// A time as manifests spell it.
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Computes the checksum of the rows.
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
