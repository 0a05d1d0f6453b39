//! Calls end at any moment: their deadline passes, or their caller goes. What they were doing must not reach the next one.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use insights_database::{
    Database, Options,
    sea_orm::{ConnectionTrait, Statement},
};
use insights_testkit::TempDatabase;

/// Polls a future a few times and gives it up.
async fn give_up_after<T>(future: impl Future<Output = T>, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return;
        }
        std::thread::sleep(Duration::from_micros(50));
        tokio::task::yield_now().await;
    }
}

/// What PostgreSQL was asked to begin is begun whether or not somebody waits for the answer. Nobody would end it, and what is
/// written next on the connection, and acknowledged, would not be committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_given_up_while_it_begins_takes_nothing_with_it() {
    for place in [TempDatabase::sqlite(), TempDatabase::postgres()] {
        let one = Options { connections: 1, ..Options::default() };
        let database = Database::connect_with(place.url(), &one).await.unwrap();
        let other = Database::connect(place.url()).await.unwrap();
        database.writer().execute_unprepared("CREATE TABLE written (number INTEGER)").await.unwrap();
        for round in 0..200 {
            give_up_after(database.begin(), round % 20).await;
            give_up_after(database.snapshot(), round % 20).await;
            database.writer().execute_unprepared("INSERT INTO written VALUES (1)").await.unwrap();
            let count = Statement::from_string(other.reader().get_database_backend(), "SELECT count(*) FROM written");
            let count = other.reader().query_one_raw(count).await.unwrap().unwrap();
            assert_eq!(count.try_get_by_index::<i64>(0).unwrap(), round as i64 + 1, "{:?}", database.engine());
            database.snapshot().await.unwrap();
        }
    }
}
