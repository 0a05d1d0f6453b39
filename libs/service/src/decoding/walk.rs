//! One walk over an encoded request, which allocates nothing by its size: counts what decoding would make.

use super::shapes::{Content, MessageField, Shapes};

/// Why a request is refused before it is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// A list has more entries than it may have.
    Items {
        /// The path of the list.
        field: String,
        /// How many it may have.
        most: usize,
    },
    /// A part that may be given once is given again.
    Twice {
        /// Its path.
        field: String,
    },
    /// Decoded it would take more than it may.
    Bytes,
}

/// Why a walk ended early.
enum Stop {
    Excess(Excess),
    /// What follows cannot be read. The decoder will say so, and has made no more than was counted when it comes here.
    Malformed,
}

/// Messages within messages; deeper ones the decoder refuses.
const DEPTH: usize = 100;

struct Walk<'a> {
    shapes: &'a Shapes,
    /// What was counted of the messages that are open, one after the other.
    counts: Vec<usize>,
    bytes: usize,
    most: usize,
}

/// About how many bytes the decoded message takes, at most.
///
/// # Errors
/// What there is too much of.
pub(crate) fn weigh(shapes: &Shapes, message: usize, encoded: &[u8], most: usize) -> Result<usize, Excess> {
    let mut walk = Walk { shapes, counts: Vec::new(), bytes: shapes.message(message).bytes, most };
    match walk.message(message, encoded, 0) {
        Ok(()) | Err(Stop::Malformed) => Ok(walk.bytes),
        Err(Stop::Excess(excess)) => Err(excess),
    }
}

impl Walk<'_> {
    fn message(&mut self, number: usize, mut encoded: &[u8], depth: usize) -> Result<(), Stop> {
        if depth > DEPTH {
            return Err(Stop::Malformed);
        }
        let shape = self.shapes.message(number);
        let first = self.counts.len();
        self.counts.resize(first + shape.counted, 0);
        while !encoded.is_empty() {
            let key = varint(&mut encoded)?;
            let wire = key & 7;
            match shape.field(key >> 3) {
                Some(field) => self.field(field, wire, &mut encoded, first, depth)?,
                None => skip(key, &mut encoded)?,
            }
        }
        self.counts.truncate(first);
        Ok(())
    }

    fn field(
        &mut self,
        field: &MessageField,
        wire: u64,
        encoded: &mut &[u8],
        first: usize,
        depth: usize,
    ) -> Result<(), Stop> {
        let packable = field.counter.is_some() && !matches!(field.content, Content::Text | Content::Message(_));
        let entries = match (field.content, wire) {
            (Content::Varint, 0) => {
                varint(encoded)?;
                1
            }
            (Content::Fixed32, 5) => take(encoded, 4).map(|_| 1)?,
            (Content::Fixed64, 1) => take(encoded, 8).map(|_| 1)?,
            (_, 2) if packable => {
                let packed = part(encoded)?;
                match field.content {
                    Content::Fixed32 => packed.len() / 4,
                    Content::Fixed64 => packed.len() / 8,
                    _ => packed.iter().filter(|byte| **byte < 0x80).count(),
                }
            }
            (Content::Text, 2) => {
                let text = part(encoded)?;
                self.add(text.len())?;
                1
            }
            (Content::Message(inner), 2) => {
                let within = part(encoded)?;
                let at = self.count(field, first, 1)?;
                let walked = self.message(inner, within, depth + 1);
                return walked.map_err(|stop| stop.beneath(field, at));
            }
            _ => return Err(Stop::Malformed),
        };
        self.count(field, first, entries).map(|_| ())
    }

    /// Counts entries of a field; how many there were before.
    fn count(&mut self, field: &MessageField, first: usize, entries: usize) -> Result<usize, Stop> {
        let Some(counter) = field.counter else { return Ok(0) };
        let count = &mut self.counts[first + counter.slot];
        let before = *count;
        *count += entries;
        if *count > counter.most {
            let (field, most) = (field.name.clone(), counter.most);
            let excess = if counter.list { Excess::Items { field, most } } else { Excess::Twice { field } };
            return Err(Stop::Excess(excess));
        }
        // A list that grows has room for twice as many.
        self.add(if counter.list { 2 * entries * field.bytes } else { 0 })?;
        Ok(before)
    }

    fn add(&mut self, bytes: usize) -> Result<(), Stop> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.most { Err(Stop::Excess(Excess::Bytes)) } else { Ok(()) }
    }
}

impl Stop {
    /// The same, seen from the message that holds the field.
    fn beneath(self, holder: &MessageField, at: usize) -> Self {
        let list = holder.counter.is_some_and(|counter| counter.list);
        let path = |field: String| match list {
            true => format!("{}[{at}].{field}", holder.name),
            false => format!("{}.{field}", holder.name),
        };
        match self {
            Self::Excess(Excess::Items { field, most }) => Self::Excess(Excess::Items { field: path(field), most }),
            Self::Excess(Excess::Twice { field }) => Self::Excess(Excess::Twice { field: path(field) }),
            other => other,
        }
    }
}

fn varint(encoded: &mut &[u8]) -> Result<u64, Stop> {
    let mut value = 0;
    for (place, byte) in encoded.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            *encoded = &encoded[place + 1..];
            return Ok(value);
        }
    }
    Err(Stop::Malformed)
}

fn take<'a>(encoded: &mut &'a [u8], bytes: usize) -> Result<&'a [u8], Stop> {
    let (taken, left) = encoded.split_at_checked(bytes).ok_or(Stop::Malformed)?;
    *encoded = left;
    Ok(taken)
}

/// What has its length before it.
fn part<'a>(encoded: &mut &'a [u8]) -> Result<&'a [u8], Stop> {
    let bytes = usize::try_from(varint(encoded)?).map_err(|_| Stop::Malformed)?;
    take(encoded, bytes)
}

/// A field that the API does not know; groups may hold groups.
fn skip(key: u64, encoded: &mut &[u8]) -> Result<(), Stop> {
    let (mut key, mut open) = (key, 0);
    loop {
        match key & 7 {
            0 => drop(varint(encoded)?),
            1 => drop(take(encoded, 8)?),
            2 => drop(part(encoded)?),
            3 => open += 1,
            4 if open > 0 => open -= 1,
            5 => drop(take(encoded, 4)?),
            _ => return Err(Stop::Malformed),
        }
        if open == 0 {
            return Ok(());
        }
        if open > DEPTH {
            return Err(Stop::Malformed);
        }
        key = varint(encoded)?;
    }
}

#[cfg(test)]
mod tests {
    use insights_proto::ingestion::v1::{
        ActivityColumns, Attribution, IngestBatchRequest, Record, Subscription, record::Kind,
    };
    use prost::Message;

    use super::*;

    const NO_LIMIT: usize = usize::MAX;
    const BATCH: &str = "/insights.ingestion.v1.IngestionService/IngestBatch";
    const DASHBOARD: &str = "/insights.reporting.v1.ReportingService/GetCustomersDashboard";

    fn of(path: &str, encoded: &[u8], most: usize) -> Result<usize, Excess> {
        let shapes = Shapes::product();
        weigh(shapes, shapes.method(path).unwrap().request, encoded, most)
    }

    fn items(field: &str, most: usize) -> Result<usize, Excess> {
        Err(Excess::Items { field: field.to_owned(), most })
    }

    #[test]
    fn lists_are_counted_wherever_they_are() {
        assert!(of(BATCH, &b"\x12\x00".repeat(20_000), NO_LIMIT).unwrap() > 20_000 * 200);
        assert_eq!(of(BATCH, &b"\x12\x00".repeat(20_001), NO_LIMIT), items("records", 20_000));
        let subscription =
            Subscription { attributions: vec![Attribution::default(); 1_001], ..Subscription::default() };
        let bad = Record { kind: Some(Kind::Subscription(subscription)), ..Record::default() };
        let batch = IngestBatchRequest { records: vec![Record::default(), bad], ..IngestBatchRequest::default() };
        let expected = items("records[1].subscription.attributions", 1_000);
        assert_eq!(of(BATCH, &batch.encode_to_vec(), NO_LIMIT), expected);
    }

    #[test]
    fn packed_and_single_entries_count_alike() {
        let columns = ActivityColumns { user: vec![300; 500_001], ..ActivityColumns::default() };
        let batch = IngestBatchRequest { activity: Some(columns), ..IngestBatchRequest::default() };
        assert_eq!(of(BATCH, &batch.encode_to_vec(), NO_LIMIT), items("activity.user", 500_000));
        let mut single = Vec::new();
        prost::encoding::uint32::encode_repeated(5, &vec![1; 500_001], &mut single);
        let mut framed = vec![0x1a];
        prost::encoding::encode_varint(single.len() as u64, &mut framed);
        framed.extend(single);
        assert_eq!(of(BATCH, &framed, NO_LIMIT), items("activity.user", 500_000));
    }

    #[test]
    fn a_part_that_is_one_is_given_once() {
        let mut page = Vec::new();
        for _ in 0..2 {
            page.extend([0x0a, 0x00]);
        }
        assert_eq!(of(DASHBOARD, &page, NO_LIMIT), Err(Excess::Twice { field: "page".into() }));
    }

    #[test]
    fn bytes_are_bounded_and_what_cannot_be_read_is_left_to_the_decoder() {
        let many = b"\x12\x00".repeat(1_000);
        assert_eq!(of(BATCH, &many, 10_000), Err(Excess::Bytes));
        for malformed in [&b"\x12"[..], b"\x12\xff", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x17", b"\x0b"]
        {
            assert!(of(BATCH, malformed, NO_LIMIT).is_ok(), "{malformed:?}");
        }
        // Unknown: a number, eight bytes, a text, four bytes, and groups in a group.
        let mut unknown = Vec::new();
        for part in [
            &b"\xc0\x3e\x01"[..],
            b"\xc1\x3e12345678",
            b"\xc2\x3e\x01x",
            b"\xc5\x3e1234",
            b"\xc3\x3e\xc3\x3e\xc4\x3e\xc4\x3e",
        ] {
            unknown.extend_from_slice(part);
        }
        unknown.extend(b"\x12\x00".repeat(20_001));
        assert_eq!(of(BATCH, &unknown, NO_LIMIT), items("records", 20_000));
    }
}
