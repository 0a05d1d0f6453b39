//! Repeats calls that may succeed the next time.

use std::time::Duration;

use tonic::{Code, Status};

/// How often a call is made, and how long is waited in between. The pause doubles each time.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Calls at most.
    pub attempts: u32,
    /// The pause after the first.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl RetryPolicy {
    /// Repeats a call. It must be idempotent, and its channel must not retry too: see [`super::Caller::without_retries`].
    pub async fn run<T, F: Future<Output = Result<T, Status>>>(self, mut call: impl FnMut() -> F) -> Result<T, Status> {
        for failures in 1..self.attempts {
            match call().await {
                Err(status) if is_transient(&status) => tokio::time::sleep(self.pause_after(failures)).await,
                outcome => return outcome,
            }
        }
        call().await
    }

    /// The pause after so many failures in a row.
    pub fn pause_after(self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_pause.saturating_mul(doubled).min(self.longest_pause)
    }
}

/// Whether the same call may succeed later.
pub fn is_transient(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Aborted)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const POLICY: RetryPolicy =
        RetryPolicy { attempts: 3, first_pause: Duration::from_millis(1), longest_pause: Duration::from_millis(2) };

    async fn calls(outcomes: &[Result<(), Code>]) -> (usize, Result<(), Code>) {
        let made = Cell::new(0);
        let call = || {
            let outcome = outcomes[made.replace(made.get() + 1)];
            async move { outcome.map_err(|code| Status::new(code, "")) }
        };
        let outcome = POLICY.run(call).await;
        (made.get(), outcome.map_err(|status| status.code()))
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy { longest_pause: Duration::from_millis(5), ..POLICY };
        let pauses = [1, 2, 3, 4, 90].map(|failures| policy.pause_after(failures).as_millis());
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
    }

    #[tokio::test]
    async fn only_transient_failures_are_repeated() {
        assert_eq!(calls(&[Ok(())]).await, (1, Ok(())));
        assert_eq!(calls(&[Err(Code::Unavailable), Err(Code::Aborted), Ok(())]).await, (3, Ok(())));
        assert_eq!(calls(&[Err(Code::InvalidArgument)]).await, (1, Err(Code::InvalidArgument)));
        let always = [Err(Code::Unavailable); 3];
        assert_eq!(calls(&always).await, (3, Err(Code::Unavailable)));
    }
}
