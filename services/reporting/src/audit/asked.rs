//! What was asked, as it is kept: a request as JSON in which long texts and lists are cut while they are written, so that no request
//! makes a long entry.

use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value};
use serde_json::Value as Json;

/// Longest text of a field, in bytes.
const TEXT_BYTES: usize = 200;
/// Most entries of a list.
const ENTRIES: usize = 50;
/// Longest entry in all, in bytes.
pub(super) const ASKED_BYTES: usize = 8 * 1024;

/// A request of a method of reporting.
pub fn asked(rpc: &str, request: &impl Message) -> String {
    let kind = insights_proto::descriptors().get_message_by_name(&format!("insights.reporting.v1.{rpc}Request"));
    kind.map(|kind| of_message(kind, &request.encode_to_vec())).unwrap_or_default()
}

fn of_message(kind: MessageDescriptor, encoded: &[u8]) -> String {
    let Ok(message) = DynamicMessage::decode(kind, encoded) else { return String::new() };
    let mut writer = AskedWriter { text: String::new() };
    writer.message(&message);
    writer.text
}

/// Writes JSON and leaves out what is beyond the room; braces are always closed.
struct AskedWriter {
    text: String,
}

impl AskedWriter {
    fn is_full(&self) -> bool {
        // What is written at once fits behind, each byte of it escaped.
        self.text.len() > ASKED_BYTES - 6 * TEXT_BYTES - 512
    }

    fn message(&mut self, message: &DynamicMessage) {
        if message.descriptor().full_name().starts_with("google.protobuf.") {
            // Times and such have a form of their own, which is short.
            let text = serde_json::to_value(message).ok().filter(|json| !json.is_object());
            return self.push(&text.unwrap_or(Json::Null).to_string());
        }
        self.text.push('{');
        let mut first = true;
        for (field, value) in message.fields() {
            if self.is_full() {
                self.separate(&mut first);
                self.text.push_str("\"…\":\"more was asked\"");
                break;
            }
            self.separate(&mut first);
            self.push(&Json::from(field.json_name()).to_string());
            self.text.push(':');
            self.value(&field, value);
        }
        self.text.push('}');
    }

    fn value(&mut self, field: &FieldDescriptor, value: &Value) {
        match value {
            Value::List(entries) => self.list(entries.iter(), |writer, entry| writer.single(&field.kind(), entry)),
            Value::Map(entries) => {
                let key = |key: &MapKey| Value::from(key.clone());
                self.list(entries.keys(), |writer, entry| writer.single(&Kind::String, &key(entry)));
            }
            value => self.single(&field.kind(), value),
        }
    }

    fn list<T>(&mut self, entries: impl ExactSizeIterator<Item = T>, write: impl Fn(&mut Self, T)) {
        let count = entries.len();
        self.text.push('[');
        let mut first = true;
        for (written, entry) in entries.enumerate() {
            self.separate(&mut first);
            if written == ENTRIES || self.is_full() {
                self.push(&Json::from(format!("… and {} more", count - written)).to_string());
                break;
            }
            write(self, entry);
        }
        self.text.push(']');
    }

    fn single(&mut self, kind: &Kind, value: &Value) {
        let json = match value {
            Value::Message(message) => return self.message(message),
            Value::String(text) => Json::from(cut(text)),
            Value::Bytes(bytes) => Json::from(format!("{} bytes", bytes.len())),
            Value::EnumNumber(number) => match kind {
                Kind::Enum(known) => known.get_value(*number).map_or(Json::from(*number), |it| Json::from(it.name())),
                _ => Json::from(*number),
            },
            Value::Bool(value) => Json::from(*value),
            Value::I32(value) => Json::from(*value),
            // As JSON of protocol buffers has them.
            Value::I64(value) => Json::from(value.to_string()),
            Value::U32(value) => Json::from(*value),
            Value::U64(value) => Json::from(value.to_string()),
            Value::F32(value) => Json::from(*value),
            Value::F64(value) => Json::from(*value),
            Value::List(_) | Value::Map(_) => Json::Null,
        };
        self.push(&json.to_string());
    }

    fn push(&mut self, json: &str) {
        self.text.push_str(json);
    }

    fn separate(&mut self, first: &mut bool) {
        if !std::mem::take(first) {
            self.text.push(',');
        }
    }
}

/// A text, or its beginning and how long it was.
fn cut(text: &str) -> String {
    if text.len() <= TEXT_BYTES {
        return text.to_owned();
    }
    format!("{}… ({} bytes)", &text[..text.floor_char_boundary(TEXT_BYTES)], text.len())
}

#[cfg(test)]
mod tests {
    use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter, Measure, Query};
    use insights_proto::reporting::v1::{ListAuditEntriesRequest, QueryRequest};
    use prost_types::Timestamp;

    use super::*;

    fn query(filters: usize, values: usize, letters: usize) -> QueryRequest {
        let value = DimensionValue { value: Some("\u{1}".repeat(letters)) };
        let filter = Filter { dimension: Dimension::Country.into(), values: vec![value; values] };
        let query = Query {
            measures: vec![Measure::Available.into(), 9_999],
            from_month: "2025-01".into(),
            filters: vec![filter; filters],
            ..Query::default()
        };
        QueryRequest { query: Some(query), min_version: 7, max_bytes: 0 }
    }

    #[test]
    fn a_short_request_is_kept_whole() {
        let text = asked("Query", &query(1, 2, 1));
        let whole = DynamicMessage::decode(
            insights_proto::descriptors().get_message_by_name("insights.reporting.v1.QueryRequest").unwrap(),
            query(1, 2, 1).encode_to_vec().as_slice(),
        );
        assert_eq!(text, serde_json::to_string(&whole.unwrap()).unwrap(), "as protocol buffers write it");
        let listing = ListAuditEntriesRequest {
            from_time: Some(Timestamp { seconds: 1_750_000_000, nanos: 0 }),
            ..Default::default()
        };
        assert_eq!(asked("ListAuditEntries", &listing), "{\"fromTime\":\"2025-06-15T15:06:40Z\"}");
    }

    #[test]
    fn however_much_is_asked_little_is_kept_and_says_so() {
        for (filters, values, letters) in
            [(1, 1, 1_000_000), (1, 100_000, 3), (10_000, 0, 0), (60, 60, 300), (1, 3, 30_000), (200, 1, 199)]
        {
            let text = asked("Query", &query(filters, values, letters));
            assert!(text.len() <= ASKED_BYTES, "{}", text.len());
            let json: Json = serde_json::from_str(&text).unwrap();
            assert_eq!(json["query"]["fromMonth"], "2025-01");
            assert!(text.contains(" more") || text.contains("… ("), "{text}");
        }
    }
}
