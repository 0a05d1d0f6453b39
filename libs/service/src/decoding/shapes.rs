//! The request messages of the API as a table: for every field how it travels, how many of it there may be, and what one takes in
//! memory.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::{
    Cardinality, DescriptorPool, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};

/// The requests of every method.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    methods: HashMap<String, MethodShape>,
    messages: Vec<MessageShape>,
}

/// What a method takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodShape {
    /// Its request, as a number of a message.
    pub(crate) request: usize,
    /// Whether it takes records, and not only a question.
    pub(crate) carries_records: bool,
    /// Whether it takes more than one message.
    pub(crate) client_streaming: bool,
}

/// A message.
#[derive(Debug, Default)]
pub(crate) struct MessageShape {
    /// By their numbers.
    fields: Vec<Option<MessageField>>,
    /// How many of them are counted.
    pub(crate) counted: usize,
    /// What one takes, without what it points to: at least what the compiler makes of it.
    pub(crate) bytes: usize,
}

/// A field.
#[derive(Debug)]
pub(crate) struct MessageField {
    pub(crate) name: String,
    pub(crate) content: Content,
    /// Where it is counted, and the most there may be; `None`: a single value, of which the last counts.
    pub(crate) counter: Option<Counter>,
    /// What an entry takes in its list.
    pub(crate) bytes: usize,
}

/// How many there may be of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    /// Its place among what is counted of the message.
    pub(crate) slot: usize,
    pub(crate) most: usize,
    /// Whether it is a list; else it is a message that may be given once.
    pub(crate) list: bool,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Varint,
    Fixed32,
    Fixed64,
    Text,
    Message(usize),
}

static PRODUCT: LazyLock<Shapes> = LazyLock::new(|| Shapes::of(insights_proto::descriptors()));

/// The message that is a record; methods whose requests hold some are sent much.
const RECORD: &str = "insights.ingestion.v1.Record";

impl Shapes {
    /// Those of this product's API.
    pub(crate) fn product() -> &'static Self {
        &PRODUCT
    }

    fn of(pool: &DescriptorPool) -> Self {
        let most = pool.get_extension_by_name("insights.access.v1.max_items");
        let mut known = HashMap::new();
        let mut shapes = Self::default();
        for service in pool.services() {
            for method in service.methods() {
                let request = shapes.add(&method.input(), most.as_ref(), &mut known);
                let shape =
                    MethodShape { request, carries_records: false, client_streaming: method.is_client_streaming() };
                shapes.methods.insert(format!("/{}/{}", service.full_name(), method.name()), shape);
            }
        }
        let record = known.get(RECORD).copied();
        let carrying: Vec<bool> = (0..shapes.messages.len()).map(|message| shapes.reaches(message, record)).collect();
        for shape in shapes.methods.values_mut() {
            shape.carries_records = carrying[shape.request];
        }
        shapes
    }

    /// What the method at `/package.Service/Method` takes.
    pub(crate) fn method(&self, path: &str) -> Option<MethodShape> {
        self.methods.get(path).copied()
    }

    pub(crate) fn message(&self, number: usize) -> &MessageShape {
        &self.messages[number]
    }

    /// The number of the message, which has its place before its fields are looked at, because a message may hold itself.
    fn add(
        &mut self,
        message: &MessageDescriptor,
        most: Option<&ExtensionDescriptor>,
        known: &mut HashMap<String, usize>,
    ) -> usize {
        if let Some(number) = known.get(message.full_name()) {
            return *number;
        }
        let number = self.messages.len();
        known.insert(message.full_name().to_owned(), number);
        self.messages.push(MessageShape::default());
        let mut shape = MessageShape::default();
        let mut alternatives = HashMap::new();
        for field in message.fields() {
            let content = match field.kind() {
                Kind::Message(inner) => Content::Message(self.add(&inner, most, known)),
                Kind::String | Kind::Bytes => Content::Text,
                Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => Content::Fixed32,
                Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => Content::Fixed64,
                _ => Content::Varint,
            };
            // 0 while the message is being added: then it holds itself, by a pointer.
            let alone = match content {
                Content::Message(inner) => self.messages[inner].bytes.max(WORD),
                Content::Text => 4 * WORD,
                Content::Varint | Content::Fixed32 | Content::Fixed64 => WORD,
            };
            let list = field.cardinality() == Cardinality::Repeated;
            let inline = if list { 3 * WORD } else { alone + WORD };
            match field.containing_oneof().filter(|_| !list) {
                Some(oneof) => {
                    let largest = alternatives.entry(oneof.name().to_owned()).or_insert(0);
                    *largest = inline.max(*largest);
                }
                None => shape.bytes += inline,
            }
            let counted = list || matches!(content, Content::Message(_));
            let counter = counted.then(|| {
                shape.counted += 1;
                let most = if list { declared(&field, most) } else { 1 };
                Counter { slot: shape.counted - 1, most, list }
            });
            let place = field.number() as usize;
            if shape.fields.len() <= place {
                shape.fields.resize_with(place + 1, || None);
            }
            shape.fields[place] = Some(MessageField { name: field.name().to_owned(), content, counter, bytes: alone });
        }
        shape.bytes += alternatives.values().sum::<usize>();
        self.messages[number] = shape;
        number
    }

    fn reaches(&self, from: usize, wanted: Option<usize>) -> bool {
        let (mut open, mut seen) = (vec![from], vec![false; self.messages.len()]);
        while let Some(message) = open.pop() {
            if Some(message) == wanted {
                return true;
            }
            if !std::mem::replace(&mut seen[message], true) {
                open.extend(self.messages[message].fields.iter().flatten().filter_map(|field| match field.content {
                    Content::Message(inner) => Some(inner),
                    _ => None,
                }));
            }
        }
        false
    }
}

/// Bytes of a number or a pointer.
const WORD: usize = 8;

/// The limit that the API declares; a list without one takes nothing.
fn declared(field: &FieldDescriptor, most: Option<&ExtensionDescriptor>) -> usize {
    let number = most.and_then(|option| match field.options().get_extension(option).as_ref() {
        Value::U32(most) => Some(*most),
        _ => None,
    });
    number.unwrap_or_default() as usize
}

impl MessageShape {
    pub(crate) fn field(&self, number: u64) -> Option<&MessageField> {
        self.fields.get(usize::try_from(number).ok()?)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use insights_proto::{ingestion::v1 as ingestion, metrics::v1 as metrics, reporting::v1 as reporting};
    use prost::Name;

    use super::*;

    #[test]
    fn every_list_of_every_request_has_a_declared_limit() {
        let shapes = Shapes::product();
        let mut lists = 0;
        for (path, method) in &shapes.methods {
            let (mut open, mut seen) = (vec![method.request], Vec::new());
            while let Some(message) = open.pop() {
                if seen.contains(&message) {
                    continue;
                }
                seen.push(message);
                for field in shapes.message(message).fields.iter().flatten() {
                    let counter = field.counter.filter(|counter| counter.list);
                    lists += usize::from(counter.is_some());
                    assert!(counter.is_none_or(|counter| counter.most > 0), "{path}: {} has no max_items", field.name);
                    open.extend(match field.content {
                        Content::Message(inner) => Some(inner),
                        _ => None,
                    });
                }
            }
        }
        assert!(shapes.methods.len() > 30 && lists > 30, "{} methods, {lists} lists", shapes.methods.len());
    }

    #[test]
    fn no_message_takes_more_than_it_is_taken_for() {
        let pool = insights_proto::descriptors();
        let shape = |name: String| {
            let mut shapes = Shapes::default();
            let number = shapes.add(&pool.get_message_by_name(&name).unwrap(), None, &mut HashMap::new());
            shapes.messages.swap_remove(number).bytes
        };
        macro_rules! check {
            ($($message:ty),+) => {$(
                let (taken_for, takes) = (shape(<$message>::full_name()), size_of::<$message>());
                assert!(takes <= taken_for, "{}: {takes} > {taken_for}", <$message>::full_name());
                assert!(taken_for <= 3 * takes + 64, "{}: {takes} << {taken_for}", <$message>::full_name());
            )+};
        }
        check!(
            ingestion::IngestBatchRequest,
            ingestion::Record,
            ingestion::Subscription,
            ingestion::Attribution,
            ingestion::Sku,
            ingestion::WholeList,
            ingestion::ActivityColumns,
            ingestion::StreamFactsRequest,
            metrics::Query,
            metrics::Filter,
            metrics::DimensionValue,
            metrics::BatchQueryRequest,
            metrics::StreamQueryRequest,
            reporting::PageFilters,
            reporting::GetCustomersDashboardRequest,
            reporting::CreateExportRequest,
            reporting::ListAdviceRequest
        );
    }

    #[test]
    fn who_takes_records_is_read_from_the_descriptors() {
        let shapes = Shapes::product();
        let mut carrying: Vec<_> = shapes.methods.iter().filter(|(_, shape)| shape.carries_records).collect();
        carrying.sort_unstable_by_key(|(path, _)| path.as_str());
        let names: Vec<_> = carrying.iter().map(|(path, _)| path.rsplit('/').next().unwrap_or_default()).collect();
        let expected =
            ["PreviewFacts", "IngestBatch", "IngestStream", "PreviewLists", "PreviewImport", "PreviewImport"];
        assert_eq!(names, expected);
    }
}
