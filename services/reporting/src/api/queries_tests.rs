use std::sync::Arc;

use insights_access::{Clock, Identity, Issuer, Policy, Principal, REPORTING_SERVICE, Role, TokenRequest, Verifier};
use insights_proto::metrics::v1::{Measure, Result as QueryResult, Row, Value, value::Kind};

use super::redact;

async fn caller(role: Role) -> Arc<Principal> {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = Issuer::open(folder.path()).expect("an issuer");
    let request = TokenRequest { roles: vec![role], partner: "P-1".into(), ..TokenRequest::default() };
    let token = issuer.mint(&request).expect("a token");
    let verifier = Verifier::new(issuer.access_config(), Clock::system()).expect("a verifier");
    match verifier.identify(&token).await {
        Ok(Identity::Person(person)) => person,
        other => panic!("not a person: {other:?}"),
    }
}

fn row(amount: &str, currency: &str) -> Row {
    let count = Value { kind: Some(Kind::Count(3)) };
    let amount = Value { kind: Some(Kind::Amount(amount.into())) };
    Row { month: "2026-01".into(), values: vec![count, amount], currency: currency.into(), ..Row::default() }
}

#[tokio::test]
async fn hidden_revenue_leaves_neither_amount_nor_currency_nor_number_of_currencies() {
    let policy = Policy::product().expect("a policy");
    let measures = [Measure::Available, Measure::BilledRevenue];
    let asked = measures.map(|measure| measure as i32);
    let answer = QueryResult { rows: vec![row("1.5", "EUR"), row("2", "USD")], ..QueryResult::default() };

    let viewer = caller(Role::ReportViewer).await;
    let hides = policy.authorise_measures(&viewer, REPORTING_SERVICE, &measures).expect("allowed");
    let mut seen = answer.clone();
    redact(&mut seen, &asked, &hides);
    assert!(seen.redacted);
    assert_eq!(seen.rows.len(), 1);
    assert_eq!(seen.rows[0].values, vec![Value { kind: Some(Kind::Count(3)) }, Value::default()]);
    assert_eq!(seen.rows[0].currency, "");

    let executive = caller(Role::ExecutiveReportViewer).await;
    let shows = policy.authorise_measures(&executive, REPORTING_SERVICE, &measures).expect("allowed");
    let mut whole = answer.clone();
    redact(&mut whole, &asked, &shows);
    assert_eq!(whole, answer);
}
