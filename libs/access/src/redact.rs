//! Removal of the fields that a viewer may not see, guided by the `field_class` options in the descriptors.
//!
//! A message is redacted in its encoded form: a field of a hidden class is left out, and only messages that can hold such a field are
//! entered. So a field is absent after redaction, never zero, and a class that is added to a field of a `.proto` file applies
//! everywhere without code. Most calls cost nothing: a viewer who sees every class, and a message type without classes at any depth,
//! are known beforehand.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use bytes::Bytes;
use insights_proto::access::v1::FieldClass;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, SerializeOptions};

use crate::{Viewer, field_class::class_of, field_classes};

static PRODUCT: LazyLock<Redactor> = LazyLock::new(|| Redactor::read(insights_proto::descriptors()));

/// Takes out of messages what a viewer may not see.
#[derive(Debug)]
pub struct Redactor {
    pool: DescriptorPool,
    messages: Vec<MessageRules>,
    by_name: HashMap<String, usize>,
}

/// The fields of a message type that are of a class, or that lead to some.
#[derive(Debug, Default)]
struct MessageRules {
    rules: BTreeMap<u32, FieldRule>,
    /// The classes of its fields at any depth.
    classes: Classes,
}

#[derive(Clone, Copy, Debug)]
enum FieldRule {
    Class(FieldClass),
    /// The position of the field's message type.
    Enter(usize),
}

/// A set of classes, a bit for each number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Classes(u32);

impl Classes {
    fn with(self, class: FieldClass) -> Self {
        Self(self.0 | 1 << class as u32)
    }

    fn contains(self, class: FieldClass) -> bool {
        self.0 & 1 << class as u32 != 0
    }

    fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The classes that the viewer does not see.
    fn hidden_from(viewer: &Viewer) -> Self {
        field_classes().filter(|class| !viewer.can_see(*class)).fold(Self::default(), Self::with)
    }
}

/// Bytes that are no message of the type they should be.
#[derive(Debug)]
struct MalformedMessage;

impl Redactor {
    /// The redactor of this product's API.
    #[must_use]
    pub fn product() -> &'static Self {
        &PRODUCT
    }

    /// Reads the classes of every field in a pool that contains `insights.access.v1`.
    #[must_use]
    pub fn read(pool: &DescriptorPool) -> Self {
        let option = pool.get_extension_by_name("insights.access.v1.field_class");
        let descriptors: Vec<_> = pool.all_messages().collect();
        let by_name: HashMap<String, usize> = descriptors.iter().map(|it| it.full_name().to_owned()).zip(0..).collect();
        let rule = |field: &prost_reflect::FieldDescriptor| {
            let class = option.as_ref().map_or(FieldClass::Unspecified, |option| class_of(&field.options(), option));
            match field.kind() {
                _ if class != FieldClass::Unspecified => Some(FieldRule::Class(class)),
                Kind::Message(message) => by_name.get(message.full_name()).copied().map(FieldRule::Enter),
                _ => None,
            }
        };
        let fields = |message: &prost_reflect::MessageDescriptor| MessageRules {
            rules: message.fields().filter_map(|field| Some((field.number(), rule(&field)?))).collect(),
            classes: Classes::default(),
        };
        let mut messages: Vec<MessageRules> = descriptors.iter().map(fields).collect();
        // Message types may contain themselves, so classes spread until nothing changes.
        loop {
            let classes: Vec<Classes> = messages.iter().map(|message| reachable(message, &messages)).collect();
            if std::iter::zip(&messages, &classes).all(|(message, classes)| message.classes == *classes) {
                break;
            }
            std::iter::zip(&mut messages, classes).for_each(|(message, classes)| message.classes = classes);
        }
        Self { pool: pool.clone(), messages, by_name }
    }

    /// The class of a field, by the full name of its message and its own.
    #[must_use]
    pub fn class_of(&self, message: &str, field: &str) -> FieldClass {
        let number = self.pool.get_message_by_name(message).and_then(|message| message.get_field_by_name(field));
        let rules = self.by_name.get(message).map(|at| &self.messages[*at].rules);
        match number.zip(rules).and_then(|(field, rules)| rules.get(&field.number())) {
            Some(FieldRule::Class(class)) => *class,
            Some(FieldRule::Enter(_)) | None => FieldClass::Unspecified,
        }
    }

    /// The message as the viewer may see it, and whether something was taken out.
    pub fn redact<M: Message + Name + Default>(&self, viewer: &Viewer, message: M) -> (M, bool) {
        let hidden = Classes::hidden_from(viewer);
        // A type that is not known here is not shown.
        let Some(at) = self.by_name.get(&M::full_name()).copied() else { return (M::default(), true) };
        if !self.messages[at].classes.intersects(hidden) {
            return (message, false);
        }
        match self.strip(at, hidden, &message.encode_to_vec()) {
            Ok(None) => (message, false),
            Ok(Some(left)) => (M::decode(Bytes::from(left)).unwrap_or_default(), true),
            Err(MalformedMessage) => (M::default(), true),
        }
    }

    /// The JSON of a message, by the names of the `.proto` files, as the viewer may see it. What is no JSON of that message is shown
    /// only to a viewer who sees every class.
    #[must_use]
    pub fn redact_json(&self, viewer: &Viewer, message: &str, json: &str) -> String {
        let hidden = Classes::hidden_from(viewer);
        if hidden == Classes::default() {
            return json.to_owned();
        }
        self.json_without(message, hidden, json).unwrap_or_default()
    }

    fn json_without(&self, message: &str, hidden: Classes, json: &str) -> Option<String> {
        let at = self.by_name.get(message).copied()?;
        let descriptor = self.pool.get_message_by_name(message)?;
        let whole =
            DynamicMessage::deserialize(descriptor.clone(), &mut serde_json::Deserializer::from_str(json)).ok()?;
        let whole = whole.encode_to_vec();
        let left = self.strip(at, hidden, &whole).ok()?.unwrap_or(whole);
        let left = DynamicMessage::decode(descriptor, left.as_slice()).ok()?;
        let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
        let mut text = Vec::new();
        left.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options).ok()?;
        String::from_utf8(text).ok()
    }

    /// The encoded message without its fields of hidden classes; `None` where it has none.
    fn strip(&self, at: usize, hidden: Classes, input: &[u8]) -> Result<Option<Vec<u8>>, MalformedMessage> {
        let fields = &self.messages[at];
        let mut reader = WireReader { input, at: 0 };
        let mut output: Option<Vec<u8>> = None;
        while let Some(field) = reader.next()? {
            let replaced = match fields.rules.get(&field.number) {
                Some(FieldRule::Class(class)) if hidden.contains(*class) => Some(Vec::new()),
                Some(FieldRule::Enter(message)) if self.messages[*message].classes.intersects(hidden) => {
                    let content = field.content.ok_or(MalformedMessage)?;
                    self.strip(*message, hidden, content)?.map(|left| delimited(field.number, &left))
                }
                _ => None,
            };
            match (&mut output, replaced) {
                (None, None) => {}
                (None, Some(bytes)) => output = Some([&input[..field.start], &bytes].concat()),
                (Some(output), Some(bytes)) => output.extend_from_slice(&bytes),
                (Some(output), None) => output.extend_from_slice(&input[field.start..reader.at]),
            }
        }
        Ok(output)
    }
}

fn reachable(message: &MessageRules, messages: &[MessageRules]) -> Classes {
    message.rules.values().fold(message.classes, |classes, rule| match rule {
        FieldRule::Class(class) => classes.with(*class),
        FieldRule::Enter(at) => Classes(classes.0 | messages[*at].classes.0),
    })
}

fn delimited(number: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 8);
    for mut value in [u64::from(number) << 3 | 2, content.len() as u64] {
        while value >= 0x80 {
            bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    }
    bytes.extend_from_slice(content);
    bytes
}

/// The fields of an encoded message, one after the other.
struct WireReader<'a> {
    input: &'a [u8],
    at: usize,
}

struct WireField<'a> {
    number: u32,
    /// Where its tag begins.
    start: usize,
    /// Of a field with a length.
    content: Option<&'a [u8]>,
}

impl<'a> WireReader<'a> {
    fn next(&mut self) -> Result<Option<WireField<'a>>, MalformedMessage> {
        let start = self.at;
        if start == self.input.len() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| MalformedMessage)?;
        let content = match tag & 7 {
            0 => self.varint().map(|_| None)?,
            1 => self.take(8).map(|_| None)?,
            2 => {
                let length = self.varint()?;
                Some(self.take(usize::try_from(length).map_err(|_| MalformedMessage)?)?)
            }
            5 => self.take(4).map(|_| None)?,
            // Groups, which proto3 has not.
            _ => return Err(MalformedMessage),
        };
        Ok(Some(WireField { number, start, content }))
    }

    fn varint(&mut self) -> Result<u64, MalformedMessage> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.input.get(self.at).ok_or(MalformedMessage)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(MalformedMessage)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], MalformedMessage> {
        let end = self.at.checked_add(count).ok_or(MalformedMessage)?;
        let taken = self.input.get(self.at..end).ok_or(MalformedMessage)?;
        self.at = end;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use insights_proto::{
        ingestion::v1::{Customer, Record, record},
        metrics::v1::{Result as QueryResult, Row, Value, VerifyRequest, value},
    };
    use prost_reflect::{DynamicMessage, MapKey, MessageDescriptor, Value as Dynamic};

    use super::*;
    use crate::{Role, RoleSet};

    fn viewer(role: Role) -> Viewer {
        Viewer { partner: "contoso".into(), roles: RoleSet::EMPTY.with(role), locations: None }
    }

    /// The message with every field set, nested to a depth at which every field of a class of this API is reached.
    fn filled(message: &MessageDescriptor, depth: u32) -> DynamicMessage {
        let mut filled = DynamicMessage::new(message.clone());
        for field in message.fields() {
            let value = match field.kind() {
                Kind::Message(_) if depth == 0 => continue,
                Kind::Message(inner) => Dynamic::Message(self::filled(&inner, depth - 1)),
                Kind::String => Dynamic::String("x".into()),
                Kind::Bytes => Dynamic::Bytes(Bytes::from_static(b"x")),
                Kind::Bool => Dynamic::Bool(true),
                Kind::Double => Dynamic::F64(1.0),
                Kind::Float => Dynamic::F32(1.0),
                Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Dynamic::I32(1),
                Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Dynamic::I64(1),
                Kind::Uint32 | Kind::Fixed32 => Dynamic::U32(1),
                Kind::Uint64 | Kind::Fixed64 => Dynamic::U64(1),
                Kind::Enum(_) => Dynamic::EnumNumber(1),
            };
            let value = match (field.is_list(), field.is_map()) {
                (_, true) => Dynamic::Map(HashMap::from([(MapKey::String("x".into()), Dynamic::String("x".into()))])),
                (true, _) => Dynamic::List(vec![value.clone(), value]),
                _ => value,
            };
            // Of a oneof the last one stays, so each gets its turn in `each_variant`.
            filled.set_field(&field, value);
        }
        filled
    }

    /// The message filled once for each field of each oneof.
    fn variants(message: &MessageDescriptor) -> Vec<DynamicMessage> {
        let mut variants = vec![filled(message, 6)];
        for oneof in message.oneofs() {
            for field in oneof.fields() {
                let mut variant = filled(message, 6);
                let value = match field.kind() {
                    Kind::Message(inner) => Dynamic::Message(filled(&inner, 5)),
                    Kind::String => Dynamic::String("x".into()),
                    _ => continue,
                };
                variant.set_field(&field, value);
                variants.push(variant);
            }
        }
        variants
    }

    /// MessageRules that are set, at any depth: of a hidden class, and of none.
    fn count(message: &DynamicMessage, option: &prost_reflect::ExtensionDescriptor) -> (usize, usize) {
        let mut counts = (0, 0);
        for (field, value) in message.fields() {
            if class_of(&field.options(), option) != FieldClass::Unspecified {
                counts.0 += 1;
                continue;
            }
            counts.1 += 1;
            let one = std::slice::from_ref(value);
            let values = value.as_list().unwrap_or(one);
            for inner in values.iter().filter_map(Dynamic::as_message) {
                let more = count(inner, option);
                counts = (counts.0 + more.0, counts.1 + more.1);
            }
        }
        counts
    }

    #[test]
    fn no_field_of_a_hidden_class_stays_in_any_message_and_every_other_does() {
        let redactor = Redactor::product();
        let option = redactor.pool.get_extension_by_name("insights.access.v1.field_class").unwrap();
        let hidden = Classes::hidden_from(&viewer(Role::ReportViewer));
        let mut classed = 0;
        for descriptor in redactor.pool.all_messages().filter(|it| it.full_name().starts_with("insights.")) {
            let at = redactor.by_name[descriptor.full_name()];
            for message in variants(&descriptor) {
                let whole = message.encode_to_vec();
                let left = redactor.strip(at, hidden, &whole).unwrap();
                let (before, others) = count(&message, &option);
                assert_eq!(left.is_some(), before > 0, "{}", descriptor.full_name());
                let left = DynamicMessage::decode(descriptor.clone(), left.unwrap_or(whole).as_slice()).unwrap();
                assert_eq!(count(&left, &option), (0, others), "{}", descriptor.full_name());
                classed += before;
            }
        }
        assert!(classed > 20, "{classed}");
    }

    #[test]
    fn a_new_field_of_any_record_is_hidden_by_its_option_alone() {
        // The API with a field more, as its next version may have.
        let mut set = DynamicMessage::decode(
            insights_proto::descriptors().get_message_by_name("google.protobuf.FileDescriptorSet").unwrap(),
            insights_proto::DESCRIPTOR_SET,
        )
        .unwrap();
        let json = r#"{"name":"owner_email","number":999,"label":"LABEL_OPTIONAL","type":"TYPE_STRING",
            "options":{"[insights.access.v1.field_class]":"FIELD_CLASS_PERSONAL"}}"#;
        let field = insights_proto::descriptors().get_message_by_name("google.protobuf.FieldDescriptorProto").unwrap();
        let field = DynamicMessage::deserialize(field, &mut serde_json::Deserializer::from_str(json)).unwrap();
        let mut added = 0;
        for file in set.get_field_by_name_mut("file").unwrap().as_list_mut().unwrap() {
            let file = file.as_message_mut().unwrap();
            if file.get_field_by_name("name").unwrap().as_str() != Some("insights/ingestion/v1/records.proto") {
                continue;
            }
            for message in file.get_field_by_name_mut("message_type").unwrap().as_list_mut().unwrap() {
                let fields = message.as_message_mut().unwrap().get_field_by_name_mut("field").unwrap();
                fields.as_list_mut().unwrap().push(Dynamic::Message(field.clone()));
                added += 1;
            }
        }
        assert!(added > 10, "{added}");
        let pool = DescriptorPool::decode(set.encode_to_vec().as_slice()).unwrap();
        let redactor = Redactor::read(&pool);
        let record = pool.get_message_by_name("insights.ingestion.v1.Record").unwrap();
        let kinds: Vec<String> =
            record.oneofs().find(|it| it.name() == "kind").unwrap().fields().map(|it| it.name().to_owned()).collect();
        assert!(kinds.len() > 10, "{kinds:?}");
        for kind in kinds {
            let json = format!(r#"{{"{kind}":{{"owner_email":"ada@contoso.example"}}}}"#);
            let shown = redactor.redact_json(&viewer(Role::DataSource), "insights.ingestion.v1.Record", &json);
            assert_eq!(shown, format!(r#"{{"{kind}":{{}}}}"#));
            assert_eq!(redactor.redact_json(&viewer(Role::GlobalAdmin), "insights.ingestion.v1.Record", &json), json);
        }
    }

    #[test]
    fn an_amount_is_absent_and_not_zero() {
        let value = |kind| Value { kind: Some(kind) };
        let row = Row {
            values: vec![value(value::Kind::Count(7)), value(value::Kind::Amount("1.5".into()))],
            ..Row::default()
        };
        let result = QueryResult { rows: vec![row], ..QueryResult::default() };
        let redactor = Redactor::product();
        assert_eq!(redactor.redact(&viewer(Role::ExecutiveReportViewer), result.clone()), (result.clone(), false));
        let (seen, redacted) = redactor.redact(&viewer(Role::ReportViewer), result);
        assert_eq!(seen.rows[0].values, [value(value::Kind::Count(7)), Value::default()]);
        assert!(redacted);
        let request = VerifyRequest::default();
        assert_eq!(redactor.redact(&viewer(Role::ReportViewer), request), (request, false));
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        let redactor = Redactor::product();
        let name = "insights.ingestion.v1.Record";
        for broken in ["", "{", r#"{"nonsense":1}"#, "[]"] {
            assert_eq!(redactor.redact_json(&viewer(Role::DataSource), name, broken), "");
            assert_eq!(redactor.redact_json(&viewer(Role::GlobalAdmin), name, broken), broken);
        }
        let customer =
            Customer { customer_id: "C-1".into(), domain: Some("contoso.example".into()), ..Customer::default() };
        let record = Record { kind: Some(record::Kind::Customer(customer)), ..Record::default() };
        let bytes = record.encode_to_vec();
        let (at, hidden) = (redactor.by_name[name], Classes::hidden_from(&viewer(Role::DataSource)));
        for end in 1..bytes.len() {
            assert!(redactor.strip(at, hidden, &bytes[..end]).is_err(), "cut off at {end}");
        }
        assert!(redactor.strip(at, hidden, &[0x0b]).is_err(), "a group");
    }
}
