//! Refused calls, summed up before they are stored: who is refused again and again must not fill the disk with it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use insights_access::{Principal, Viewer};
use tonic::Code;

/// Counts refused calls: of a caller and a minute the first are kept whole, the others are counted by method and outcome.
#[derive(Debug)]
pub struct RefusedCalls {
    whole: u32,
    callers: Mutex<HashMap<(String, String), RefusedMinute>>,
}

#[derive(Debug)]
struct RefusedMinute {
    began: DateTime<Utc>,
    whole: u32,
    viewer: Viewer,
    counted: HashMap<(String, Code), i64>,
}

/// Refused calls of one caller that were only counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSum {
    /// The `sub` of their token; [`OTHERS`] where there were too many callers to tell them apart.
    pub subject: String,
    /// Their rights, as at the first of the calls.
    pub viewer: Viewer,
    /// What was called.
    pub rpc: String,
    /// How it ended.
    pub outcome: Code,
    /// How many calls.
    pub calls: i64,
}

/// Who is counted when more callers than this are refused in a minute.
const MOST_CALLERS: usize = 10_000;
/// Stands for the callers beyond.
pub const OTHERS: &str = "(others)";

impl RefusedCalls {
    /// Keeps so many of a caller's refused calls of a minute whole.
    #[must_use]
    pub fn new(whole: u32) -> Self {
        Self { whole, callers: Mutex::default() }
    }

    /// Whether a refused call is to be kept whole; it is counted otherwise.
    #[must_use]
    pub fn is_kept(&self, subject: &str, viewer: &Viewer, rpc: &str, outcome: Code, now: DateTime<Utc>) -> bool {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut caller = (viewer.partner().to_owned(), subject.to_owned());
        if callers.len() >= MOST_CALLERS && !callers.contains_key(&caller) {
            caller.1 = OTHERS.to_owned();
        }
        let begin = || RefusedMinute { began: now, whole: 0, viewer: viewer.clone(), counted: HashMap::new() };
        let minute = callers.entry(caller).or_insert_with(begin);
        if now - minute.began >= MINUTE && minute.counted.is_empty() {
            *minute = begin();
        }
        if minute.whole < self.whole {
            minute.whole += 1;
            return true;
        }
        *minute.counted.entry((rpc.to_owned(), outcome)).or_default() += 1;
        false
    }

    /// The same for a call of a known caller.
    #[must_use]
    pub fn is_kept_of(&self, caller: &Principal, rpc: &str, outcome: Code, now: DateTime<Utc>) -> bool {
        self.is_kept(caller.subject(), caller, rpc, outcome, now)
    }

    /// Takes out the counts of minutes that are over; of all of them at the end of the process.
    #[must_use]
    pub fn take(&self, now: DateTime<Utc>, all: bool) -> Vec<RefusedSum> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let over = callers.extract_if(|_, minute| all || now - minute.began >= MINUTE);
        let sums = over.flat_map(|((_, subject), RefusedMinute { viewer, counted, .. })| {
            counted.into_iter().map(move |((rpc, outcome), calls)| RefusedSum {
                subject: subject.clone(),
                viewer: viewer.clone(),
                rpc,
                outcome,
                calls,
            })
        });
        sums.collect()
    }
}

const MINUTE: TimeDelta = TimeDelta::minutes(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_minute_are_kept_and_the_others_counted() {
        let refused = RefusedCalls::new(2);
        let viewer = Viewer::stored("contoso", "report_viewer", None);
        let start = DateTime::from_timestamp(1_750_000_000, 0).unwrap_or_default();
        let kept = |subject: &str, rpc: &str, second: i64| {
            refused.is_kept(subject, &viewer, rpc, Code::PermissionDenied, start + TimeDelta::seconds(second))
        };
        assert_eq!(
            (0..5).map(|second| kept("eve", "/x/Y", second)).collect::<Vec<_>>(),
            [true, true, false, false, false]
        );
        assert!(!kept("eve", "/x/Z", 6) && kept("ada", "/x/Y", 7), "each caller for itself");
        assert!(refused.take(start + TimeDelta::seconds(59), false).is_empty(), "the minute is not over");
        let mut sums = refused.take(start + TimeDelta::seconds(60), false);
        sums.sort_by(|a, b| a.rpc.cmp(&b.rpc));
        let told: Vec<_> = sums.iter().map(|sum| (sum.subject.as_str(), sum.rpc.as_str(), sum.calls)).collect();
        assert_eq!(told, [("eve", "/x/Y", 3), ("eve", "/x/Z", 1)]);
        assert!(kept("eve", "/x/Y", 61), "another minute");
        assert!(refused.take(start, true).is_empty(), "nothing was counted since");
    }

    #[test]
    fn too_many_callers_are_counted_together() {
        let refused = RefusedCalls::new(1);
        let viewer = Viewer::stored("contoso", "", None);
        let now = DateTime::from_timestamp(1_750_000_000, 0).unwrap_or_default();
        let kept = |subject: usize| refused.is_kept(&subject.to_string(), &viewer, "/x/Y", Code::PermissionDenied, now);
        assert_eq!((0..MOST_CALLERS + 5).filter(|subject| kept(*subject)).count(), MOST_CALLERS + 1);
        let sums = refused.take(now, true);
        assert_eq!((sums.len(), sums[0].subject.as_str(), sums[0].calls), (1, OTHERS, 4));
    }
}
