//! Quota of a partner: calls in flight and calls per second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use insights_access::partner_of;
use tonic::Code;

use crate::{ServerConfig, layers::hold, status::with_retry};

pub(crate) struct Quotas {
    at_once: usize,
    per_second: f64,
    partners: Mutex<HashMap<String, Usage>>,
}

struct Usage {
    running: usize,
    /// Calls that may begin now, refilled over time.
    tokens: f64,
    refilled: Instant,
}

/// Gives the partner's slot back when the call is over, however it ends.
struct RunningCall {
    quotas: Arc<Quotas>,
    partner: String,
}

/// Number of entries at which idle partners are removed.
const MANY: usize = 10_000;

impl Quotas {
    pub(crate) fn new(config: &ServerConfig) -> Arc<Self> {
        let per_second = f64::from(config.calls_per_second_per_partner);
        Arc::new(Self { at_once: config.in_flight_per_partner, per_second, partners: Mutex::default() })
    }

    fn begin(self: &Arc<Self>, partner: &str, now: Instant) -> Result<RunningCall, Duration> {
        let mut partners = self.partners.lock().unwrap_or_else(PoisonError::into_inner);
        if partners.len() >= MANY && !partners.contains_key(partner) {
            // A partner with a full bucket needs no entry.
            let full = |usage: &Usage| now.saturating_duration_since(usage.refilled) >= Duration::from_secs(1);
            partners.retain(|_, usage| usage.running > 0 || !full(usage));
        }
        let fresh = || Usage { running: 0, tokens: self.per_second, refilled: now };
        let usage = partners.entry(partner.to_owned()).or_insert_with(fresh);
        if usage.running >= self.at_once {
            return Err(Duration::from_millis(500));
        }
        if self.per_second > 0.0 {
            let earned = now.saturating_duration_since(usage.refilled).as_secs_f64() * self.per_second;
            usage.tokens = (usage.tokens + earned).min(self.per_second);
            usage.refilled = now;
            if usage.tokens < 1.0 {
                return Err(Duration::from_secs_f64((1.0 - usage.tokens) / self.per_second));
            }
            usage.tokens -= 1.0;
        }
        usage.running += 1;
        Ok(RunningCall { quotas: Arc::clone(self), partner: partner.to_owned() })
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        let mut partners = self.quotas.partners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = partners.get_mut(&self.partner) {
            usage.running -= 1;
            // Without a rate to remember, an idle partner needs no entry; with one, only until it is full again.
            let full = usage.refilled.elapsed() >= Duration::from_secs(1);
            if usage.running == 0 && (self.quotas.per_second == 0.0 || full) {
                partners.remove(&self.partner);
            }
        }
    }
}

pub(crate) async fn quota(State(quotas): State<Arc<Quotas>>, request: Request, next: Next) -> Response {
    let Some(partner) = partner_of(request.extensions()).map(str::to_owned) else {
        // A service's own call, a probe, a page.
        return next.run(request).await;
    };
    match quotas.begin(&partner, Instant::now()) {
        Ok(slot) => hold(next.run(request).await, slot),
        Err(retry) => {
            tracing::info!(monotonic_counter.quota_refused = 1_u64, "partner over its quota");
            let text = "This partner makes too many calls at once.";
            with_retry(Code::ResourceExhausted, text, "QUOTA_EXCEEDED", Some(retry)).into_http()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_bucket_that_refills() {
        let config = ServerConfig { calls_per_second_per_partner: 5, ..ServerConfig::default() };
        let quotas = Quotas::new(&config);
        let start = Instant::now();
        let held: Vec<_> = (0..5).map(|_| quotas.begin("p", start).map_err(|_| "refused")).collect();
        assert!(held.iter().all(Result::is_ok), "five at the limit");
        let Err(wait) = quotas.begin("p", start) else { panic!("the sixth passes") };
        assert!(wait > Duration::from_millis(150) && wait <= Duration::from_millis(200), "{wait:?}");
        assert!(quotas.begin("q", start).is_ok(), "another partner");
        assert!(quotas.begin("p", start + wait + Duration::from_millis(1)).is_ok(), "when it says so");
        assert!(quotas.begin("p", start + wait + Duration::from_millis(1)).is_err());
    }

    #[test]
    fn idle_partners_are_forgotten() {
        let quotas = Quotas::new(&ServerConfig::default());
        for number in 0..100 {
            assert!(quotas.begin(&format!("p{number}"), Instant::now()).is_ok());
        }
        assert!(quotas.partners.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
    }
}
