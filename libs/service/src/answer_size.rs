//! How large an answer may be, so that every client can take it.

use prost::Message;

/// Largest answer of a call that people and sources make, in bytes: what clients of gRPC take that were told nothing else.
pub const LARGEST_ANSWER: usize = 4 * 1024 * 1024;
/// What an answer has beside the entries of a page, at most.
const BESIDE: usize = 64 * 1024;
/// What an entry takes beside itself: the number of its field and its length.
const PER_ENTRY: usize = 8;

/// How many of the first entries fit into an answer; at least one of them, so that pages get on. A page may have fewer entries
/// than its size (AIP-158).
#[must_use]
pub fn fitting<T: Message>(entries: &[T]) -> usize {
    let mut room = LARGEST_ANSWER - BESIDE;
    let fits = |entry: &&T| {
        let left = room.checked_sub(entry.encoded_len() + PER_ENTRY);
        room = left.unwrap_or_default();
        left.is_some()
    };
    entries.iter().take_while(fits).count().max(1).min(entries.len())
}

#[cfg(test)]
mod tests {
    use insights_proto::metrics::v1::Name;

    use super::*;

    fn entries(count: usize, bytes: usize) -> Vec<Name> {
        vec![Name { id: "x".repeat(bytes), name: String::new() }; count]
    }

    #[test]
    fn a_page_ends_where_the_answer_is_full() {
        assert_eq!(fitting(&entries(0, 1)), 0);
        assert_eq!(fitting(&entries(1_000, 1_000)), 1_000);
        assert_eq!(fitting(&entries(2, 5_000_000)), 1, "one of them, so that pages get on");
        for bytes in [1, 100, 127, 128, 16_383, 70_000] {
            let entries = entries(2 * LARGEST_ANSWER / (bytes + 3), bytes);
            let page = fitting(&entries);
            let whole = insights_proto::metrics::v1::LookUpNamesResponse { names: entries[..page].to_vec() };
            assert!(page < entries.len() && whole.encoded_len() + BESIDE <= LARGEST_ANSWER, "{bytes}: {page}");
        }
    }
}
