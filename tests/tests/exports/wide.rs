//! A partner whose rows are long, so that few of them make a large file.

use insights_proto::ingestion::v1::{
    CompleteThrough, Customer, IngestBatchRequest, Record, Sku, Subscription, SubscriptionState, record::Kind,
};
use insights_proto::metrics::v1::{Dimension, Measure, Query};
use insights_proto::reporting::v1::{ExportFormat, ExportOrder};

use crate::hostile_names::order;

/// Customers, each with a subscription in every month of two years.
const CUSTOMERS: usize = 800;
/// Rows of its export.
pub const ROWS: i64 = 800 * 24;

/// Everything of the partner.
pub fn records() -> Vec<Kind> {
    let sku = Sku {
        sku_id: "SKU".into(),
        name: "SKU".into(),
        product: "Office 365".into(),
        services: vec!["Teams".into()],
        free: false,
    };
    let mut records = vec![Kind::Sku(sku)];
    for number in 0..CUSTOMERS {
        let (customer_id, subscription_id) = (format!("C-{number}"), format!("S-{number}"));
        records.push(Kind::Customer(Customer {
            customer_id: customer_id.clone(),
            segment: Some(format!("{number:04}, {}", "x".repeat(900))),
            ..Customer::default()
        }));
        records.push(Kind::Subscription(Subscription {
            subscription_id: subscription_id.clone(),
            customer_id,
            sku_id: "SKU".into(),
            ..Subscription::default()
        }));
        records.push(Kind::SubscriptionState(SubscriptionState {
            subscription_id,
            effective: "2024-01-01".into(),
            status: "Active".into(),
            seats: i64::try_from(number + 1).ok(),
            ..SubscriptionState::default()
        }));
    }
    records.push(Kind::CompleteThrough(CompleteThrough { day: "2025-12-31".into() }));
    records
}

/// The same as one batch.
pub fn batch() -> IngestBatchRequest {
    let records = records().into_iter().map(|kind| Record { kind: Some(kind), ..Record::default() }).collect();
    IngestBatchRequest { batch_id: "wide".into(), records, ..IngestBatchRequest::default() }
}

/// Every subscription in every month: some 18 MB as text.
pub fn everything(format: ExportFormat) -> ExportOrder {
    let query = Query {
        measures: vec![Measure::Available.into()],
        group_by: [Dimension::Subscription, Dimension::Segment].map(i32::from).to_vec(),
        from_month: "2024-01".into(),
        to_month: "2025-12".into(),
        ..Query::default()
    };
    order(query, format)
}
