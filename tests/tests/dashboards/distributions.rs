//! How customers are distributed: parts, shares and the others agree with the whole and with queries.

use insights_proto::metrics::v1::{Basis, Dimension, Filter, Measure, Scope, value::Kind};
use insights_proto::reporting::v1::{Breakdown, ChangeKind, Figure, GetCustomersDashboardResponse, Group, PageFilters};

use super::demo::Person;
use super::{card, count, series, stock_ends_its_series, summed, sums_to};

/// Shown of a trend, besides the others.
const LARGEST: usize = 5;

/// What must hold on one page by itself.
pub fn check(page: &GetCustomersDashboardResponse, what: &str) {
    let totals = page.totals.expect("totals");
    let (net, churn) = (card(&page.cards, Figure::NetAdded), card(&page.cards, Figure::LastMonthChurn));
    assert_eq!(count(net.value.as_ref()), totals.net_added, "{what}");
    assert_eq!(series(net).iter().sum::<i64>(), totals.net_added, "{what}");
    assert_eq!(count(churn.value.as_ref()), totals.last_month_churn, "{what}");
    stock_ends_its_series(churn);
    countries(page, what);
    let customers = card(&page.cards, Figure::Customers);
    let dimensions: Vec<Dimension> = page.distributions.iter().map(Breakdown::dimension).collect();
    use Dimension as D;
    assert_eq!(dimensions, [D::Location, D::Segment, D::SalesChannel, D::PricingModel, D::AttributionType]);
    sums_to(of(&page.distributions, D::Segment), Measure::Customers, customers, what);
    for breakdown in page.distributions.iter().chain(&page.by_product) {
        changes(breakdown, what);
    }
    let products = page.by_product.as_ref().expect("products");
    for product in &page.skus {
        let group =
            products.groups.iter().find(|group| group.key.as_ref().is_some_and(|it| it.value() == product.product));
        let most = count(group.expect("a product on the page").values.first());
        let skus = &product.by_sku.as_ref().expect("SKUs").groups;
        let counts: Vec<i64> = skus.iter().map(|sku| count(sku.values.first())).collect();
        assert!(counts.iter().all(|count| *count <= most), "{what}: {} {counts:?} of {most}", product.product);
        assert!(counts.iter().sum::<i64>() >= most, "{what}: {} {counts:?} of {most}", product.product);
    }
}

fn countries(page: &GetCustomersDashboardResponse, what: &str) {
    let countries = page.by_country.as_ref().expect("countries");
    assert_eq!(countries.measures().collect::<Vec<_>>(), [Measure::Customers, Measure::ActiveCustomers, Measure::New]);
    let wholes = [Figure::Customers, Figure::ActiveCustomers, Figure::CustomersAdded];
    for (at, figure) in wholes.into_iter().enumerate() {
        let whole = count(card(&page.cards, figure).value.as_ref());
        assert_eq!(
            countries.groups.iter().map(|group| count(group.values.get(at))).sum::<i64>(),
            whole,
            "{what} {figure:?}"
        );
        for group in &countries.groups {
            let Some(Kind::Percentage(share)) = &group.shares[at].kind else { panic!("{what}: no share") };
            assert_eq!(
                (share.numerator, share.denominator),
                (Some(count(group.values.get(at))), Some(whole)),
                "{what}"
            );
        }
    }
    assert_eq!(
        summed(countries, Measure::New),
        if countries.groups.is_empty() { vec![] } else { series(card(&page.cards, Figure::CustomersAdded)) }
    );
}

fn changes(breakdown: &Breakdown, what: &str) {
    for group in &breakdown.groups {
        let change = group.change.as_ref().expect("a change");
        assert_eq!(change.kind(), ChangeKind::Stock);
        let change = change.change.expect("a percentage");
        if let (Some(more), Some(base)) = (change.numerator, change.denominator) {
            assert_eq!(base + more, count(group.values.first()), "{what}");
        }
    }
}

/// What the trends leave out is what the groups beyond the largest have in common, each customer once.
pub async fn check_others(
    person: &mut Person,
    filters: &PageFilters,
    page: &GetCustomersDashboardResponse,
    what: &str,
) {
    let all = person.all_groups(filters).await;
    let month = &page.coverage.as_ref().expect("coverage").to_month;
    let customers = card(&page.cards, Figure::Customers);
    for whole in &all.distribution_trends {
        let dimension = whole.dimension();
        assert!(whole.others.is_none());
        let shown = of(&page.distribution_trends, dimension);
        let largest = &whole.groups[..whole.groups.len().min(LARGEST)];
        assert_eq!(keys(&shown.groups), keys(largest), "{what} {dimension:?}");
        let Some(others) = &shown.others else {
            assert!(whole.groups.len() <= LARGEST, "{what} {dimension:?}");
            continue;
        };
        let rest = &whole.groups[LARGEST..];
        assert_eq!(others.groups as usize, rest.len(), "{what} {dimension:?}");
        let mut narrowed = filters.clone();
        narrowed.filters.retain(|filter| filter.dimension() != dimension);
        let values = rest.iter().filter_map(|group| group.key.clone()).collect();
        narrowed.filters.push(Filter { dimension: dimension as i32, values });
        let asked = person.ask(Measure::Customers, Basis::Users, &narrowed, Scope::SoldOrManaged, month).await;
        assert_eq!(others.values, [asked], "{what} {dimension:?}");
        if !whole.overlapping {
            let others: Vec<i64> = others.trend.iter().map(|point| count(point.values.first())).collect();
            let both: Vec<i64> =
                summed(shown, Measure::Customers).iter().zip(others).map(|(sum, rest)| sum + rest).collect();
            assert_eq!(both, series(customers), "{what} {dimension:?}");
        }
    }
}

fn of(breakdowns: &[Breakdown], dimension: Dimension) -> &Breakdown {
    breakdowns.iter().find(|breakdown| breakdown.dimension() == dimension).expect("a breakdown")
}

fn keys(groups: &[Group]) -> Vec<Option<&str>> {
    groups.iter().map(|group| group.key.as_ref().and_then(|key| key.value.as_deref())).collect()
}
