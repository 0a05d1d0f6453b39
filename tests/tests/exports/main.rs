//! Exports through the whole product: files hold what the query answers, to the digit, and reach their owner alone.
#![allow(clippy::unwrap_used, reason = "tests")]

mod files;
mod hostile_names;
mod jobs;
mod office;
mod partner;
mod processes;
mod reports;
mod round_trip;
mod s3;
mod stores;
mod ways;
mod wide;

/// The same on both engines.
macro_rules! on_each_engine {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(false).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(true).await;
            })*
        }
    };
}
pub(crate) use on_each_engine;
