use insights_proto::metrics::v1::Value;

use super::*;

fn span() -> MonthSpan {
    MonthSpan { from: "2026-01".parse().unwrap(), to: "2026-02".parse().unwrap(), first_data: None }
}

fn row(month: &str, customer: &str, seats: i64, amount: Option<(&str, &str)>) -> Row {
    let value = |kind| Value { kind };
    Row {
        month: month.into(),
        dimensions: vec![DimensionValue { value: Some(customer.into()) }],
        values: vec![value(Some(Kind::Count(seats))), value(amount.map(|(amount, _)| Kind::Amount(amount.into())))],
        currency: amount.map(|(_, currency)| currency.into()).unwrap_or_default(),
        ..Row::default()
    }
}

#[test]
fn customers_rank_by_revenue_or_by_seats() {
    let rows = vec![
        row("2026-01", "C-1", 500, Some(("10", "USD"))),
        row("2026-01", "C-2", 3, Some(("20.5", "USD"))),
        row("2026-01", "C-2", 3, Some(("9000", "EUR"))),
        row("2026-02", "C-1", 4, Some(("10", "USD"))),
        row("2026-02", "C-3", 4, None),
        row("2026-02", "C-4", 9, Some(("-1", "USD"))),
    ];
    let mut result = QueryResult { rows, ..QueryResult::default() };
    assert_eq!(ranked(&result, &span(), "USD"), ["C-2", "C-1", "C-3", "C-4"]);
    assert_eq!(ranked(&result, &span(), "EUR"), ["C-2", "C-1", "C-3", "C-4"], "the rest by id");
    result.redacted = true;
    assert_eq!(ranked(&result, &span(), "USD"), ["C-4", "C-1", "C-3", "C-2"]);
}

#[test]
fn pages_follow_the_ranks() {
    let place = |customer: &str, subscription: &str| (customer.to_owned(), subscription.to_owned());
    let keys = vec![place("C-1", "S-1"), place("C-1", "S-3"), place("C-2", "S-2"), place("C-2", "S-4")];
    let ranks = ["C-2".to_owned(), "C-1".to_owned()];
    let ids = |keys: Vec<SubscriptionKey>| keys.into_iter().map(|(_, id)| id).collect::<Vec<_>>();
    let whole = by_rank(keys.clone(), &ranks, None).unwrap();
    assert_eq!(ids(whole.clone()), ["S-2", "S-4", "S-1", "S-3"]);
    for (at, after) in whole.iter().enumerate() {
        assert_eq!(by_rank(keys.clone(), &ranks, Some(after)).unwrap(), whole[at + 1..]);
    }
    assert_eq!(by_rank(keys, &ranks, Some(&place("C-9", "S-1"))), None, "it is no longer ranked");
}
