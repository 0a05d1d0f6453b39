//! Parts of bounded size of one customer's facts.

use insights_proto::ingestion::v1::StreamFactsResponse;
use prost::Message;

/// About how many bytes a part has at most. gRPC's usual limit is 4 MiB; single facts are small.
const PART: usize = 512 * 1024;

/// Cuts one customer's facts into parts.
pub(super) struct PartBuilder {
    head: StreamFactsResponse,
    part: StreamFactsResponse,
    bytes: usize,
    done: Vec<StreamFactsResponse>,
}

impl PartBuilder {
    /// `head` names the customer. Every part begins with it; only the first carries the attributes.
    pub(super) fn new(head: StreamFactsResponse) -> Self {
        let rest = StreamFactsResponse {
            attributes: None,
            first_activity: Vec::new(),
            lower_bound: Vec::new(),
            ..head.clone()
        };
        let bytes = head.encoded_len();
        Self { head: rest, part: head, bytes, done: Vec::new() }
    }

    /// Adds a fact of about so many bytes.
    pub(super) fn add(&mut self, bytes: usize, add: impl FnOnce(&mut StreamFactsResponse)) {
        if self.bytes + bytes > PART && self.bytes > 0 {
            let full = std::mem::replace(&mut self.part, self.head.clone());
            self.done.push(full);
            self.bytes = 0;
        }
        add(&mut self.part);
        self.bytes += bytes;
    }

    pub(super) fn finish(mut self) -> Vec<StreamFactsResponse> {
        self.part.last = true;
        self.done.push(self.part);
        self.done
    }
}
