//! Licences from a source that lists all of them anew each time.
//!
//! Such a source does not report the end of a licence, it leaves the licence out. So lists are facts of their own, and a listed
//! licence ends on the day of the first list after it was last seen. Neither what is stored nor the end depends on the order of
//! arrival.

use std::collections::HashMap;

use insights_proto::ingestion::v1::Licensed;
use prost::Message;

use super::fact::FactKind;

const DAY: i64 = 86_400 * 1_000_000_000;

/// The day, of UTC, on which a licence was last seen: that of its `recorded_at`, nanoseconds since 1970.
pub(crate) fn seen(recorded: i64) -> i32 {
    i32::try_from(recorded.div_euclid(DAY)).unwrap_or(i32::MAX)
}

/// Whether a stored fact is a licence that later lists can end.
pub(crate) fn is_listed(kind: FactKind, body: &[u8]) -> Result<bool, prost::DecodeError> {
    Ok(kind == FactKind::Licensed && Licensed::decode(body)?.listed)
}

/// The days of a customer's lists by the number of their service.
#[derive(Debug, Default)]
pub(crate) struct LicenceLists(HashMap<u32, Vec<i32>>);

impl LicenceLists {
    pub(crate) fn new(lists: impl Iterator<Item = (u32, i32)>) -> Self {
        let mut days: HashMap<u32, Vec<i32>> = HashMap::new();
        lists.for_each(|(service, day)| days.entry(service).or_default().push(day));
        days.values_mut().for_each(|days| days.sort_unstable());
        Self(days)
    }

    /// The first day without a listed licence of the service that runs from `from` to `to` and was last recorded at `recorded`.
    pub(crate) fn end(&self, service: u32, from: i32, to: Option<i32>, recorded: i64) -> Option<i32> {
        let known = from.max(seen(recorded));
        let days = self.0.get(&service).map_or(&[][..], Vec::as_slice);
        let without = days.get(days.partition_point(|day| *day <= known)).copied();
        to.into_iter().chain(without).min()
    }
}
