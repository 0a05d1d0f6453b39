//! Time as a parameter.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};

/// Where the time comes from; library code asks this and never the system, so that tests decide what time it is.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    is_system: bool,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn system() -> Self {
        Self { now: Arc::new(Utc::now), is_system: true }
    }

    /// A clock that always says the same.
    #[must_use]
    pub fn fixed(time: DateTime<Utc>) -> Self {
        Self::new(move || time)
    }

    /// A clock of one's own.
    #[must_use]
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), is_system: false }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    /// Whether it is the machine's, so that it may be compared with that of another machine.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.is_system
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}
