//! Golden files in the shapes that partners download, with every quirk they come with.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use insights_domain::calendar::Day;
use insights_import::{Collected, Format, Notes, ReadError, ReadOptions, Rejection, read};
use insights_proto::ingestion::v1::{Attribution, Precedence, ReportedSeats, Revenue, Sku, Subscription, record::Kind};

const SUBSCRIPTIONS: &str = include_str!("fixtures/insights-subscriptions.csv");
const DYNAMICS: &str = include_str!("fixtures/insights-dynamics-usage.tsv");
const PRODUCTS: &str = include_str!("fixtures/product-names.csv");
const RECORDS: &str = include_str!("fixtures/records.ndjson");

const FABRIKAM: &str = "c0ffee00-0001-4e00-9e00-0000000000aa";

fn subscription(number: u32) -> String {
    format!("5b0c1d2e-{number:04}-4f00-8a00-00000000abcd")
}

fn try_import(format: Format, text: &str) -> Result<(Collected, Notes), ReadError> {
    let mut collected = Collected::default();
    let options = ReadOptions::on(Day::from_ymd(2024, 6, 20).unwrap());
    let notes = read(format, &mut text.as_bytes(), &options, &mut collected)?;
    Ok((collected, notes))
}

fn import(format: Format, text: &str) -> (Collected, Notes) {
    try_import(format, text).unwrap()
}

fn all<T>(collected: &Collected, pick: impl Fn(&Kind) -> Option<&T>) -> Vec<&T> {
    collected.records.iter().filter_map(|(_, record)| pick(record.kind.as_ref()?)).collect()
}

fn seats(collected: &Collected) -> Vec<&ReportedSeats> {
    all(collected, |kind| if let Kind::ReportedSeats(it) = kind { Some(it) } else { None })
}

fn revenue(collected: &Collected) -> Vec<&Revenue> {
    all(collected, |kind| if let Kind::Revenue(it) = kind { Some(it) } else { None })
}

fn subscriptions(collected: &Collected) -> Vec<&Subscription> {
    all(collected, |kind| if let Kind::Subscription(it) = kind { Some(it) } else { None })
}

fn skus(collected: &Collected) -> Vec<&Sku> {
    all(collected, |kind| if let Kind::Sku(it) = kind { Some(it) } else { None })
}

fn faults(rejections: &[Rejection]) -> Vec<(u64, &str)> {
    rejections.iter().map(|rejection| (rejection.row, rejection.field.as_str())).collect()
}

fn attribution(location: &str, kind: &str) -> Attribution {
    Attribution { location_id: Some(location.into()), r#type: Some(kind.into()) }
}

fn complete_through(collected: &Collected) -> Vec<&str> {
    let days = all(collected, |kind| if let Kind::CompleteThrough(it) = kind { Some(it) } else { None });
    days.into_iter().map(|it| it.day.as_str()).collect()
}

#[test]
fn subscriptions_become_subscriptions_seats_and_revenue() {
    let (found, notes) = import(Format::InsightsSubscriptions, SUBSCRIPTIONS);
    assert_eq!(faults(&found.rejections), [(7, "AvailableSeatsEOP"), (8, "Month"), (9, "SubscriptionId")]);
    assert_eq!(notes.unknown_columns, ["ShinyNewColumn"]);
    assert_eq!(notes.unknown_countries.iter().collect::<Vec<_>>(), ["Atlantis"]);
    let by: Vec<_> = seats(&found)
        .iter()
        .map(|it| {
            (
                it.subscription_id.clone().unwrap(),
                it.month.as_str(),
                it.available.unwrap(),
                it.status.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        by,
        [
            (subscription(1), "2024-05", 25, "Active"),
            (subscription(1), "2024-06", 20, "Active"),
            (subscription(2), "2024-06", 7, "Frobnicated"),
            (subscription(4), "2024-06", 1_000_000, "Churned"),
            (subscription(5), "2024-06", 0, "Active"),
        ],
        "the stock counts, never the flow; GUIDs in lower case; an unknown status is kept"
    );
    let billed: Vec<_> =
        revenue(&found).iter().map(|it| (it.month.as_str(), it.amount.as_str(), it.currency.as_str())).collect();
    assert_eq!(
        billed,
        [
            ("2024-05", "550.1", "USD"),
            ("2024-06", "440.08", "USD"),
            ("2024-06", "-12.5", "USD"),
            ("2024-06", "0.000001", "USD"),
            ("2024-06", "99.5", "USD")
        ],
        "a duplicate row counts no revenue a second time"
    );
    assert_eq!(seats(&found)[1].attributions, [attribution("4711", "CSP Tier 1"), attribution("4712", "DPOR")]);
    assert_eq!(complete_through(&found), ["2024-06-20"], "at most today");
}

#[test]
fn a_report_knows_its_subscriptions_and_stubs_for_the_rest() {
    let (found, _) = import(Format::InsightsSubscriptions, SUBSCRIPTIONS);
    let first = subscriptions(&found)[0].clone();
    assert_eq!((first.start.as_deref(), first.end.as_deref()), (Some("2024-01-15"), Some("2025-01-14")));
    assert_eq!((first.auto_renew, first.sales_channel.as_deref()), (Some(true), Some("CSP")));
    assert_eq!(first.attributions.len(), 2, "of its latest month");
    for (_, record) in &found.records {
        let stub = matches!(record.kind, Some(Kind::Customer(_) | Kind::Sku(_) | Kind::Location(_)));
        let provisional = record.precedence() != Precedence::Unspecified;
        assert_eq!(stub, provisional, "what a report only names gives way to every real record: {record:?}");
    }
    let customers = all(&found, |kind| if let Kind::Customer(it) = kind { Some(it) } else { None });
    let fabrikam = customers.iter().find(|it| it.customer_id == FABRIKAM).unwrap();
    assert_eq!((fabrikam.name.as_deref(), fabrikam.country.as_deref()), (Some("Fabrikam, Inc."), Some("US")));
    assert!(
        customers.iter().any(|it| it.name.as_deref() == Some("Wingtip\r\nToys") && it.country.as_deref() == Some("BR"))
    );
    let free: Vec<_> = skus(&found).into_iter().filter(|sku| sku.free).map(|sku| sku.name.as_str()).collect();
    assert_eq!(free, ["Power BI (free)"]);
    let locations = all(&found, |kind| if let Kind::Location(it) = kind { Some(it) } else { None });
    let places: Vec<_> = locations.iter().map(|it| (it.location_id.as_str(), it.country.as_str())).collect();
    assert_eq!(places, [("4711", "US"), ("4712", "PT")]);
}

#[test]
fn dynamics_usage_reports_the_stock_under_its_other_name() {
    let (found, notes) = import(Format::InsightsDynamicsUsage, DYNAMICS);
    assert_eq!(faults(&found.rejections), [(5, "AvailableSeats")]);
    let free_without_end = ["Dynamics 365 Viral".to_owned()].into();
    let remarks = ["dates such as 3/4/2026 are read with the month first: 4 March"].into();
    assert_eq!(notes, Notes { free_without_end, remarks, ..Notes::default() });
    let by: Vec<_> = seats(&found).iter().map(|it| (it.available, it.assigned, it.active)).collect();
    assert_eq!(by, [(Some(40), Some(30), Some(45)), (Some(10_000), Some(3), Some(2))]);
    assert_eq!(seats(&found)[0].attributions, [attribution("4711", "CPOR"), attribution("4712", "PAL")]);
    assert_eq!(seats(&found)[0].month, "2024-06");
    assert!(skus(&found).iter().all(|sku| sku.product == "Dynamics 365"));
    assert_eq!(skus(&found).iter().map(|sku| sku.free).collect::<Vec<_>>(), [false, true]);
    assert!(revenue(&found).is_empty());
    let stubs = found.records.iter().filter(|(_, record)| matches!(record.kind, Some(Kind::Subscription(_))));
    assert!(
        stubs.clone().count() == 2 && stubs.into_iter().all(|(_, record)| record.precedence() == Precedence::Described)
    );
}

#[test]
fn the_catalogue_joins_on_guids_and_folds_services() {
    let (found, notes) = import(Format::ProductNames, PRODUCTS);
    assert_eq!(faults(&found.rejections), [(9, "GUID")]);
    assert_eq!(notes.unmapped_services.iter().collect::<Vec<_>>(), ["WIDGETS_PLAN"]);
    let skus: Vec<_> = skus(&found)
        .into_iter()
        .map(|sku| (&sku.sku_id[35..], sku.name.as_str(), sku.product.as_str(), sku.services.join("+"), sku.free))
        .collect();
    assert_eq!(
        skus,
        [
            ("1", "Office 365 Sample E3", "Office 365", "Exchange+SharePoint+WIDGETS_PLAN+Yammer".to_owned(), false),
            ("2", "Dynamics 365 Sample Sales", "Dynamics 365", "Dynamics 365".to_owned(), false),
            ("3", "Sample Flow Free", "Sample Flow Free", "Power Automate".to_owned(), true),
        ]
    );
}

#[test]
fn records_are_rejected_by_line_and_field_and_good_ones_kept() {
    let (found, _) = import(Format::Ndjson, RECORDS);
    assert_eq!(
        faults(&found.rejections),
        [
            (5, "activity.day"),
            (6, "customer.colour"),
            (7, "kind"),
            (8, "subscription_state.seats"),
            (10, "record"),
            (11, "record"),
            (13, "subscription.attributions[0].place"),
        ]
    );
    assert_eq!(found.records.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2, 9, 12, 14]);
    assert_eq!(found.records[0].1.recorded_at.unwrap().nanos, 500_000_000);
    assert_eq!(found.activity.len(), 1);
    assert_eq!((found.activity[0].0, found.activity[0].1.day), (3, Day::from_ymd(2024, 5, 31).unwrap()));
    assert_eq!(subscriptions(&found)[0].attributions.len(), 2);
}

#[test]
fn a_file_without_a_required_column_is_refused_by_its_name() {
    for (format, text, column) in [
        (Format::InsightsSubscriptions, SUBSCRIPTIONS, "AvailableSeatsEOP"),
        (Format::InsightsSubscriptions, SUBSCRIPTIONS, "SubscriptionId"),
        (Format::InsightsSubscriptions, SUBSCRIPTIONS, "CustomerTenantId"),
        (Format::InsightsDynamicsUsage, DYNAMICS, "AvailableSeats"),
        (Format::InsightsDynamicsUsage, DYNAMICS, "Month"),
        (Format::ProductNames, PRODUCTS, "GUID"),
    ] {
        let without = text.replacen(column, "SomethingElse", 1);
        let error = try_import(format, &without).unwrap_err();
        assert!(error.to_string().contains(column), "{error}");
    }
    let no_sku = SUBSCRIPTIONS.replacen(",SKU,", ",A,", 1).replacen("ProductPartNumber", "B", 1);
    assert!(try_import(Format::InsightsSubscriptions, &no_sku).unwrap_err().to_string().contains("SKU"));
    assert!(try_import(Format::ProductNames, "").unwrap_err().to_string().contains("empty"));
}

#[test]
fn the_older_report_calls_the_stock_total_sold_seats() {
    let older = "SubscriptionId,Month,CustomerTenantId,SKU,TotalSoldSeats,TotalAssignedSeats\nS,2024-04,C,K,9,4\n";
    let (found, _) = import(Format::InsightsSubscriptions, older);
    assert_eq!((seats(&found)[0].available, seats(&found)[0].assigned), (Some(9), Some(4)));
    assert_eq!(complete_through(&found), ["2024-04-30"]);
}

#[test]
fn the_row_that_is_no_duplicate_decides() {
    let header =
        "SubscriptionId,Month,CustomerTenantId,SKU,AvailableSeatsEOP,IsDuplicateRowForPGA,MPNId,BilledRevenueUSD\n";
    let text = format!(
        "{header}S,2024-04,C,K,9,1,L1,5\nS,2024-04,C,K,8,0,L2,6\nS,2024-04,C,K,7,0,L3,7\nS,2024-04,C,K,7,0,L2,8\n"
    );
    let (found, _) = import(Format::InsightsSubscriptions, &text);
    let one = seats(&found);
    assert_eq!((one.len(), one[0].available), (1, Some(8)));
    let places: Vec<_> = one[0].attributions.iter().map(|it| it.location_id.as_deref().unwrap()).collect();
    assert_eq!(places, ["L1", "L2", "L3"]);
    assert_eq!(revenue(&found).iter().map(|it| it.amount.as_str()).collect::<Vec<_>>(), ["6"]);
}

#[test]
fn a_user_report_read_to_its_end_has_everybody_who_is_licensed() {
    let header = "Report Refresh Date,User Principal Name,Has Exchange License,Has OneDrive License,Exchange License Assign Date,Teams Last Activity Date\n";
    let report = |rows: &str| {
        let mut collected = Collected::default();
        let options =
            ReadOptions { customer: Some("C".into()), ..ReadOptions::on(Day::from_ymd(2024, 6, 20).unwrap()) };
        let notes = read(Format::GraphUserDetail, &mut format!("{header}{rows}").as_bytes(), &options, &mut collected);
        let lists = all(&collected, |kind| if let Kind::LicenceList(it) = kind { Some(it) } else { None });
        let lists: Vec<_> =
            lists.into_iter().map(|it| format!("{} {} {}", it.customer_id, it.service, it.day)).collect();
        let licences = all(&collected, |kind| if let Kind::Licensed(it) = kind { Some(it) } else { None });
        assert!(licences.into_iter().all(|licence| licence.listed));
        (lists, notes.unwrap().remarks.iter().any(|remark| remark.contains("rows were rejected")))
    };
    let (ada, bob) = ("2024-06-18,ada,True,False,2024-01-10,2024-06-17\n", "2024-06-18,bob,False,False,,\n");
    let expected = ["C Exchange 2024-06-18", "C SharePoint 2024-06-18"].map(str::to_owned).to_vec();
    assert_eq!(report(&[ada, bob].concat()), (expected.clone(), false), "Teams has no column of licences");
    assert_eq!(report(bob), (expected, false), "a list of nobody is a list");
    assert_eq!(report(""), (Vec::new(), false), "a file of no day is none");
    assert_eq!(report(&[ada, "2024-06-18,cy,perhaps,False,,\n"].concat()), (Vec::new(), true), "Cy may be licensed");
    assert_eq!(report("2024-06-21,ada,True,False,,\n"), (Vec::new(), false), "the day has not come");
    // Everybody was active on one day: who was idle then may be left out.
    let cy = "2024-06-18,cy,True,False,,2024-06-17\n";
    assert_eq!(report(&[ada, cy].concat()), (Vec::new(), false), "the report of a date");
    assert_eq!(report("2024-06-18,ada,True,False,,2024-06-18\n"), (Vec::new(), false), "the report of the last date");
    assert_eq!(report(&[ada, cy, bob].concat()).0.len(), 2, "Bob was idle, so it is the report of a period");
    let days = report(&[ada, "2024-05-31,ada,True,False,,\n"].concat()).0;
    assert_eq!((days.len(), days[0].as_str()), (4, "C Exchange 2024-05-31"), "two reports in one file");
}
