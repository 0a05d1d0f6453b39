//! Requests made from the descriptors, by the types of their fields.

use std::io::Write;

use prost::encoding::WireType;
use prost::encoding::{encode_key, encode_varint};
use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor, Value};

/// Messages within messages that are attacked.
const DEPTH: usize = 8;

/// A list with one entry more than the API declares.
pub struct Overfull {
    pub path: String,
    pub most: usize,
    pub request: Vec<u8>,
}

/// A field with a value that is no good.
pub struct Odd {
    pub path: String,
    pub what: &'static str,
    pub request: Vec<u8>,
}

fn wrapped(number: u32, inner: &[u8]) -> Vec<u8> {
    let mut outer = Vec::with_capacity(inner.len() + 8);
    encode_key(number, WireType::LengthDelimited, &mut outer);
    encode_varint(inner.len() as u64, &mut outer);
    outer.extend_from_slice(inner);
    outer
}

/// The limit that the API declares for a list.
fn declared(field: &FieldDescriptor) -> usize {
    let option = insights_proto::descriptors().get_extension_by_name("insights.access.v1.max_items").unwrap();
    match field.options().get_extension(&option).as_ref() {
        Value::U32(most) => *most as usize,
        other => panic!("{}: {other:?}", field.full_name()),
    }
}

fn is_list(field: &FieldDescriptor) -> bool {
    field.cardinality() == Cardinality::Repeated
}

fn beneath(field: &FieldDescriptor, path: &str) -> String {
    if is_list(field) { format!("{}[0].{path}", field.name()) } else { format!("{}.{path}", field.name()) }
}

/// Entries of a list, as small as they come.
pub fn entries(field: &FieldDescriptor, count: usize) -> Vec<u8> {
    match field.kind() {
        Kind::Message(_) | Kind::String | Kind::Bytes => wrapped(field.number(), b"").repeat(count),
        Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => wrapped(field.number(), &vec![0; 8 * count]),
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => wrapped(field.number(), &vec![0; 4 * count]),
        _ => wrapped(field.number(), &vec![0; count]),
    }
}

/// A request for each list beneath a message, which alone is too long.
pub fn overfull(message: &MessageDescriptor, depth: usize) -> Vec<Overfull> {
    let mut found = Vec::new();
    for field in message.fields() {
        if is_list(&field) {
            let most = declared(&field);
            found.push(Overfull { path: field.name().to_owned(), most, request: entries(&field, most + 1) });
        }
        if let Kind::Message(inner) = field.kind()
            && depth < DEPTH
        {
            found.extend(overfull(&inner, depth + 1).into_iter().map(|attack| Overfull {
                path: beneath(&field, &attack.path),
                request: wrapped(field.number(), &attack.request),
                ..attack
            }));
        }
    }
    found
}

/// Requests with one field that holds what it should not, for each field beneath a message.
pub fn odd(message: &MessageDescriptor, depth: usize) -> Vec<Odd> {
    let mut found = Vec::new();
    for field in message.fields() {
        if let Kind::Message(inner) = field.kind() {
            if depth < DEPTH {
                found.extend(odd(&inner, depth + 1).into_iter().map(|attack| Odd {
                    path: beneath(&field, &attack.path),
                    request: wrapped(field.number(), &attack.request),
                    ..attack
                }));
            }
            let groups = [0x0b_u8].repeat(5_000);
            found.push(Odd {
                path: field.name().to_owned(),
                what: "nested",
                request: wrapped(field.number(), &groups),
            });
            continue;
        }
        for (what, request) in values(&field) {
            found.push(Odd { path: field.name().to_owned(), what, request });
        }
    }
    found
}

fn values(field: &FieldDescriptor) -> Vec<(&'static str, Vec<u8>)> {
    let number = field.number();
    let varint = |value: u64| {
        let mut encoded = Vec::new();
        encode_key(number, WireType::Varint, &mut encoded);
        encode_varint(value, &mut encoded);
        encoded
    };
    let fixed = |wire: WireType, bytes: &[u8]| {
        let mut encoded = Vec::new();
        encode_key(number, wire, &mut encoded);
        encoded.extend_from_slice(bytes);
        encoded
    };
    match field.kind() {
        Kind::String | Kind::Bytes => vec![
            ("long", wrapped(number, &b"x".repeat(200 * 1024))),
            ("no text", wrapped(number, b"\xff\xfe\x00\xc3\x28")),
            ("odd letters", wrapped(number, "\0\u{202e}'; DROP TABLE x; --\r\n\u{feff}=1+1".as_bytes())),
            ("a number", varint(7)),
        ],
        Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => vec![("no number", fixed(WireType::SixtyFourBit, &[0xff; 8]))],
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => vec![("no number", fixed(WireType::ThirtyTwoBit, &[0xff; 4]))],
        _ => vec![
            ("the largest", varint(u64::MAX >> 1)),
            ("the least", varint(1 << 63)),
            ("all ones", varint(u64::MAX)),
            ("a text", wrapped(number, b"\xff")),
        ],
    }
}

/// A message packed with gzip, framed as a call sends it.
pub fn packed(message: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(message).unwrap();
    let mut framed = insights_tests::wire::frame(&encoder.finish().unwrap());
    framed[0] = 1;
    framed
}
