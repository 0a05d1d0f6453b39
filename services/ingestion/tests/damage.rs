//! Stored rows that are missing or cannot be read are faults of ours: INTERNAL at once, never taken for a race with another
//! writer and tried again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use insights_proto::ingestion::v1::IngestBatchRequest;
use insights_testkit::sql;
use support::{Engine, Service, make::*};
use tonic::Code;

on_both!(a_customer_whose_row_is_gone_is_damage, a_chunk_of_no_month_is_damage, a_fact_of_no_precedence_is_damage);

async fn refused(service: &Service, batch: IngestBatchRequest) -> Code {
    service.send(batch).await.unwrap_err().code()
}

async fn a_customer_whose_row_is_gone_is_damage(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", "")]).await;
    service.send(activity_batch(&[("C-1", "u", "Teams", "2024-05-01")])).await.unwrap();
    // Its id and that of the service are cached, so the next batch allocates none.
    sql(&service.place.database, "DELETE FROM ingestion_customer WHERE customer_id = 'C-1'");
    let facts = activity_batch(&[("C-1", "u", "Teams", "2024-05-02")]);
    assert_eq!(refused(&service, facts).await, Code::Internal);
    assert_eq!(refused(&service, batch(vec![customer("C-1", "DE")])).await, Code::Internal);
}

async fn a_chunk_of_no_month_is_damage(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", "")]).await;
    service.send(activity_batch(&[("C-1", "u", "Teams", "2024-05-01")])).await.unwrap();
    let copy = "INSERT INTO ingestion_activity (partner_no, cell, customer_no, month, bucket, body) \
                SELECT partner_no, cell, customer_no, 7, bucket, body FROM ingestion_activity";
    sql(&service.place.database, copy);
    let records = vec![retract("activity", "C-1", "", "2024-05-01", "2024-05-31")];
    assert_eq!(refused(&service, batch(records)).await, Code::Internal);
}

async fn a_fact_of_no_precedence_is_damage(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", "")]).await;
    sql(&service.place.database, "UPDATE ingestion_fact SET precedence = 99");
    assert_eq!(refused(&service, batch(vec![customer("C-1", "DE")])).await, Code::Internal);
}
