//! Shares of calls: in flight by partner and subject, and per second by partner.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use insights_access::{partner_of, subject_of};
use tonic::{Code, Status};

use crate::{
    ServerConfig, fail_point,
    layers::{hold, limit::Unverified},
    status::with_retry,
};

pub(crate) struct Quotas {
    /// In flight: in all, of a partner, of a subject.
    all: usize,
    of_partner: usize,
    of_subject: usize,
    per_second: f64,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    all: usize,
    partners: HashMap<String, Usage>,
}

struct Usage {
    running: usize,
    subjects: HashMap<String, usize>,
    /// Calls that may begin now, refilled over time.
    tokens: f64,
    refilled: Instant,
}

/// Gives the places back when the call is over, however it ends.
struct RunningCall {
    quotas: Arc<Quotas>,
    /// The partner and the subject; none: a service's own call.
    caller: Option<(String, String)>,
}

/// What there is too much of.
#[derive(Debug, PartialEq, Eq)]
enum Over {
    All,
    Partner,
    Subject,
    Rate(Duration),
}

/// Number of entries at which idle partners are removed.
const MANY: usize = 10_000;
/// Calls of a partner that may take the last quarter of all places: storms of several partners leave it to the others.
const FEW: usize = 4;

impl Quotas {
    pub(crate) fn new(config: &ServerConfig) -> Arc<Self> {
        Arc::new(Self {
            all: config.in_flight,
            of_partner: config.in_flight_per_partner,
            of_subject: config.shares.per_subject,
            per_second: f64::from(config.calls_per_second_per_partner),
            running: Mutex::default(),
        })
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, caller: Option<(&str, &str)>, now: Instant) -> Result<RunningCall, Over> {
        let mut running = self.running();
        if running.all >= self.all {
            return Err(Over::All);
        }
        if let Some((partner, subject)) = caller {
            let last_quarter = running.all >= self.all - self.all / 4;
            self.begin_of(&mut running, partner, subject, last_quarter, now)?;
        }
        running.all += 1;
        let caller = caller.map(|(partner, subject)| (partner.to_owned(), subject.to_owned()));
        Ok(RunningCall { quotas: Arc::clone(self), caller })
    }

    fn begin_of(
        &self,
        running: &mut Running,
        partner: &str,
        subject: &str,
        last_quarter: bool,
        now: Instant,
    ) -> Result<(), Over> {
        let partners = &mut running.partners;
        if partners.len() >= MANY && !partners.contains_key(partner) {
            // A partner with a full bucket needs no entry.
            let full = |usage: &Usage| now.saturating_duration_since(usage.refilled) >= Duration::from_secs(1);
            partners.retain(|_, usage| usage.running > 0 || !full(usage));
        }
        let fresh = || Usage { running: 0, subjects: HashMap::new(), tokens: self.per_second, refilled: now };
        let usage = partners.entry(partner.to_owned()).or_insert_with(fresh);
        let of_subject = usage.subjects.get(subject).copied().unwrap_or_default();
        if fail_point::guard_holds("service.shares") {
            if last_quarter && usage.running >= FEW {
                return Err(Over::All);
            }
            if usage.running >= self.of_partner {
                return Err(Over::Partner);
            }
            if of_subject >= self.of_subject {
                return Err(Over::Subject);
            }
        }
        if self.per_second > 0.0 {
            let earned = now.saturating_duration_since(usage.refilled).as_secs_f64() * self.per_second;
            usage.tokens = (usage.tokens + earned).min(self.per_second);
            usage.refilled = now;
            if usage.tokens < 1.0 {
                return Err(Over::Rate(Duration::from_secs_f64((1.0 - usage.tokens) / self.per_second)));
            }
            usage.tokens -= 1.0;
        }
        usage.running += 1;
        usage.subjects.insert(subject.to_owned(), of_subject + 1);
        Ok(())
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        let mut running = self.quotas.running();
        running.all -= 1;
        let Some((partner, subject)) = &self.caller else { return };
        let Some(usage) = running.partners.get_mut(partner) else { return };
        usage.running -= 1;
        if let Some(count) = usage.subjects.get_mut(subject) {
            *count -= 1;
            if *count == 0 {
                usage.subjects.remove(subject);
            }
        }
        // Without a rate to remember, an idle partner needs no entry; with one, only until it is full again.
        let full = usage.refilled.elapsed() >= Duration::from_secs(1);
        if usage.running == 0 && (self.quotas.per_second == 0.0 || full) {
            running.partners.remove(partner);
        }
    }
}

pub(crate) async fn quota(State(quotas): State<Arc<Quotas>>, mut request: Request, next: Next) -> Response {
    // From here on the call is counted on its caller's account. A probe, a page, a description of the API have places of their own.
    if request.extensions_mut().remove::<Unverified>().is_none() {
        return next.run(request).await;
    }
    let caller = partner_of(request.extensions()).zip(subject_of(request.extensions()));
    match quotas.begin(caller, Instant::now()) {
        Ok(place) => hold(next.run(request).await, place),
        Err(over) => {
            tracing::info!(monotonic_counter.quota_refused = 1_u64, ?over, "call over a share");
            refusal(&over).into_http()
        }
    }
}

fn refusal(over: &Over) -> Status {
    let soon = Duration::from_millis(500);
    let (text, reason, retry) = match over {
        Over::All => ("The service is busy.", "BUSY", Duration::from_millis(200)),
        Over::Partner => ("This partner makes too many calls at once.", "QUOTA_EXCEEDED", soon),
        Over::Subject => ("This caller makes too many calls at once.", "QUOTA_EXCEEDED", soon),
        Over::Rate(wait) => ("This partner makes too many calls.", "QUOTA_EXCEEDED", *wait),
    };
    with_retry(Code::ResourceExhausted, text, reason, Some(retry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShareLimits;

    #[test]
    fn a_rate_is_a_bucket_that_refills() {
        let config = ServerConfig { calls_per_second_per_partner: 5, ..ServerConfig::default() };
        let quotas = Quotas::new(&config);
        let start = Instant::now();
        let begin = |partner, at| quotas.begin(Some((partner, "ada")), at).map_err(|over| format!("{over:?}"));
        let held: Vec<_> = (0..5).map(|_| begin("p", start)).collect();
        assert!(held.iter().all(Result::is_ok), "five at the limit");
        let Err(Over::Rate(wait)) = quotas.begin(Some(("p", "ada")), start) else { panic!("the sixth passes") };
        assert!(wait > Duration::from_millis(150) && wait <= Duration::from_millis(200), "{wait:?}");
        assert!(begin("q", start).is_ok(), "another partner");
        assert!(begin("p", start + wait + Duration::from_millis(1)).is_ok(), "when it says so");
        assert!(begin("p", start + wait + Duration::from_millis(1)).is_err());
    }

    #[test]
    fn idle_partners_are_forgotten() {
        let quotas = Quotas::new(&ServerConfig::default());
        for number in 0..100 {
            assert!(quotas.begin(Some((&format!("p{number}"), "ada")), Instant::now()).is_ok());
        }
        assert!(quotas.running().partners.is_empty() && quotas.running().all == 0);
    }

    #[test]
    fn storms_leave_places_to_others() {
        let shares = ShareLimits { per_subject: 5, ..ShareLimits::default() };
        let config = ServerConfig { in_flight: 20, in_flight_per_partner: 8, shares, ..ServerConfig::default() };
        let quotas = Quotas::new(&config);
        let mut held = Vec::new();
        let mut begin = |partner: &str, subject: &str| match quotas.begin(Some((partner, subject)), Instant::now()) {
            Ok(call) => {
                held.push(call);
                None
            }
            Err(over) => Some(over),
        };
        for _ in 0..5 {
            assert_eq!(begin("storm", "ada"), None);
        }
        assert_eq!(begin("storm", "ada"), Some(Over::Subject));
        for _ in 0..3 {
            assert_eq!(begin("storm", "bob"), None);
        }
        assert_eq!(begin("storm", "eve"), Some(Over::Partner));
        for subject in ["ada", "bob"] {
            for _ in 0..4 {
                let _ = begin("second", subject);
            }
        }
        (0..4).for_each(|_| assert_eq!(begin("third", "ada"), None, "fifteen of twenty were taken"));
        assert_eq!(begin("third", "ada"), Some(Over::All));
        assert_eq!(begin("fourth", "ada"), None);
        assert_eq!(begin("fifth", "ada"), Some(Over::All), "of all places none is left");
        held.truncate(15);
        assert_eq!(quotas.begin(Some(("fifth", "ada")), Instant::now()).err(), None);
    }
}
