//! Fields as other systems write them: what costs the field, what costs the row, and what is noted.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use insights_domain::calendar::Day;
use insights_import::{Collected, DateOrder, Format, MendedRows, Mending, Notes, ReadError, ReadOptions, read};
use insights_proto::ingestion::v1::{Record, record::Kind};

const CUSTOMER: &str = "{C0FFEE00-0001-4E00-9E00-0000000000BB}";

fn options(dates: Option<DateOrder>) -> ReadOptions {
    let today = Day::from_ymd(2025, 6, 20).unwrap();
    ReadOptions { customer: Some(CUSTOMER.into()), dates, ..ReadOptions::on(today) }
}

fn try_import(format: Format, text: &str, dates: Option<DateOrder>) -> Result<(Collected, Notes), ReadError> {
    let mut collected = Collected::default();
    let options = ReadOptions { customer: format.needs_customer().then(|| CUSTOMER.into()), ..options(dates) };
    let notes = read(format, &mut text.as_bytes(), &options, &mut collected)?;
    Ok((collected, notes))
}

fn import(format: Format, text: &str) -> (Collected, Notes) {
    try_import(format, text, None).unwrap()
}

fn refused(format: Format, text: &str) -> String {
    match try_import(format, text, None) {
        Err(ReadError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// What `of` finds in the records, in their order.
fn each<'c, T>(collected: &'c Collected, of: impl Fn(&'c Kind) -> Option<T>) -> Vec<T> {
    collected.records.iter().filter_map(|(_, Record { kind, .. })| of(kind.as_ref()?)).collect()
}

/// The dates of every subscription.
fn terms(collected: &Collected) -> Vec<(Option<&str>, Option<&str>)> {
    each(collected, |kind| match kind {
        Kind::Subscription(it) => Some((it.start.as_deref(), it.end.as_deref())),
        _ => None,
    })
}

/// Seats of reports and states.
fn seats(collected: &Collected) -> Vec<i64> {
    each(collected, |kind| match kind {
        Kind::ReportedSeats(it) => it.available,
        Kind::SubscriptionState(it) => it.seats,
        _ => None,
    })
}

fn amounts(collected: &Collected) -> Vec<&str> {
    each(collected, |kind| if let Kind::Revenue(it) = kind { Some(it.amount.as_str()) } else { None })
}

fn mended(notes: &Notes) -> Vec<(&str, Mending, u64, u64)> {
    let all = notes.mended.iter();
    all.map(|((field, what), MendedRows { rows, first })| (field.as_str(), *what, *rows, *first)).collect()
}

/// A SeatsSubscriptionsAndRevenue of these (start, end, month, seats, revenue).
fn report(rows: &[[&str; 5]]) -> String {
    let mut text = String::from(
        "SubscriptionId,SubscriptionStartDate,SubscriptionEndDate,Month,CustomerTenantId,SKU,AvailableSeatsEOP,BilledRevenueUSD\n",
    );
    for (number, [start, end, month, seats, revenue]) in rows.iter().enumerate() {
        text.push_str(&format!("S-{number},{start},{end},{month},C-1,Sample E3,\"{seats}\",\"{revenue}\"\n"));
    }
    text
}

#[test]
fn a_date_that_stands_for_none_costs_nothing_and_one_that_is_none_costs_itself() {
    let (found, notes) = import(
        Format::InsightsSubscriptions,
        &report(&[
            ["0001-01-01", "9999-12-31", "2025-03-01", "5", ""],
            ["2025-01-01", "12/31/9999 12:00:00 AM", "2025-03-01", "6", ""],
            ["1900-01-00", "2200-01-01T00:00:00Z", "2025-03-01", "7", ""],
            ["2025-01- 01", "soon", "2025-03-01", "8", ""],
            ["2025-01-01", "2025-12-31", "9999-12-01", "9", ""],
        ]),
    );
    assert_eq!(seats(&found), [5, 6, 7, 8]);
    let open = (None, None);
    assert_eq!(terms(&found), [open, (Some("2025-01-01"), None), open, open]);
    assert_eq!(
        mended(&notes),
        [
            ("SubscriptionEndDate", Mending::NoDay, 3, 2),
            ("SubscriptionEndDate", Mending::DateLeftOut, 1, 5),
            ("SubscriptionStartDate", Mending::NoDay, 2, 2),
            ("SubscriptionStartDate", Mending::DateLeftOut, 1, 5),
        ]
    );
    let [rejection] = &found.rejections[..] else { panic!("{:?}", found.rejections) };
    assert_eq!((rejection.row, rejection.field.as_str()), (6, "Month"), "a row counts in its month or nowhere");
}

#[test]
fn an_amount_is_rounded_half_to_even_and_what_is_none_is_left_out() {
    let month = "2025-03-01";
    let (found, notes) = import(
        Format::InsightsSubscriptions,
        &report(&[
            ["", "", month, "10", "303.91425424266254"],
            ["", "", month, "7", "3.7281308323144897e-06"],
            ["", "", month, "1,234", "104.39999999999999"],
            ["", "", month, "4", "-1,234.5"],
            ["", "", month, "3", "1,234"],
            ["", "", month, "2", "n/a"],
        ]),
    );
    assert_eq!(seats(&found), [10, 7, 1_234, 4, 3, 2]);
    assert_eq!(amounts(&found), ["303.914254", "0.000004", "104.4", "-1234.5"]);
    assert!(found.rejections.is_empty(), "{:?}", found.rejections);
    let expected = [("BilledRevenueUSD", Mending::Rounded, 3, 2), ("BilledRevenueUSD", Mending::AmountLeftOut, 2, 6)];
    assert_eq!(mended(&notes), expected);
}

#[test]
fn the_whole_report_decides_which_of_day_and_month_comes_first() {
    let row = |start, month| [start, "", month, "5", ""];
    let starts = |text: &str, dates| {
        let (found, _) = try_import(Format::InsightsSubscriptions, text, dates).unwrap();
        terms(&found).into_iter().map(|(start, _)| start.unwrap().to_owned()).collect::<Vec<_>>()
    };
    let told =
        report(&[row("05/03/2025", "2025-03-01"), row("23/01/2025", "2025-03-01"), row("2025-05-03", "2025-03")]);
    assert_eq!(starts(&told, None), ["2025-03-05", "2025-01-23", "2025-05-03"]);
    let by_month = report(&[row("05/03/2025", "01/03/2025")]);
    assert_eq!(starts(&by_month, None), ["2025-03-05"], "a month is given by its first day");
    let open = report(&[row("05/03/2025", "2025-03-01")]);
    assert!(refused(Format::InsightsSubscriptions, &open).contains("--dates"));
    assert_eq!(starts(&open, Some(DateOrder::DayFirst)), ["2025-03-05"]);
    assert_eq!(starts(&open, Some(DateOrder::MonthFirst)), ["2025-05-03"]);
    let both = report(&[row("01/23/2025", "2025-03-01"), row("23/01/2025", "2025-03-01")]);
    assert!(refused(Format::InsightsSubscriptions, &both).contains("contradict"));
}

/// A user report of these (user, refreshed, last used, licensed since).
fn users(rows: &[[&str; 4]]) -> String {
    let mut text = String::from(
        "Report Refresh Date,User Principal Name,Is Deleted,Deleted Date,Has Teams License,Teams Last Activity Date,\
         Teams License Assign Date\n",
    );
    for [user, refreshed, used, since] in rows {
        text.push_str(&format!("{refreshed},{user},False,,True,{used},{since}\n"));
    }
    text
}

#[test]
fn a_user_report_saved_day_first_is_read_day_first() {
    let rows =
        [["ana@x.example", "05/03/2025", "04/03/2025", "23/01/2024"], ["bo@x.example", "05/03/2025", "02/03/2025", ""]];
    let (found, _) = import(Format::GraphUserDetail, &users(&rows));
    let days: Vec<String> = found.activity.iter().map(|(_, activity)| activity.day.to_string()).collect();
    assert_eq!(days, ["2025-03-04", "2025-03-02"]);
    let complete = each(&found, |kind| if let Kind::CompleteThrough(it) = kind { Some(it.day.as_str()) } else { None });
    assert_eq!(complete, ["2025-03-05"]);
    assert!(refused(Format::GraphUserDetail, &users(&rows[1..])).contains("05/03/2025"));
}

#[test]
fn a_last_use_that_was_never_is_none_and_one_that_is_damaged_costs_the_row() {
    let (found, notes) = import(
        Format::GraphUserDetail,
        &users(&[
            ["ana@x.example", "2025-03-05", "0001-01-01", "1601-01-01T00:00:00Z"],
            ["bo@x.example", "2025-03-05", "2025-03-", "2025-01-01"],
            ["cy@x.example", "2025-03-05", "2025-03-01", "damaged"],
        ]),
    );
    assert_eq!(found.rejections.iter().map(|it| it.row).collect::<Vec<_>>(), [3]);
    assert_eq!(found.activity.len(), 1);
    let expected = [
        ("Teams Last Activity Date", Mending::NoDay, 1, 2),
        ("Teams License Assign Date", Mending::NoDay, 1, 2),
        ("Teams License Assign Date", Mending::DateLeftOut, 1, 4),
    ];
    assert_eq!(mended(&notes), expected);
}

#[test]
fn users_without_names_are_several() {
    let day = "2025-03-05";
    let licensed = |rows: &[[&str; 4]]| {
        let (found, notes) = import(Format::GraphUserDetail, &users(rows));
        let mut users =
            each(&found, |kind| if let Kind::Licensed(it) = kind { Some(it.user_id.clone()) } else { None });
        users.sort_unstable();
        (users, notes)
    };
    let rows = [
        ["(Unknown)", day, "", "2024-01-10"],
        ["(Unknown)", day, "2025-03-01", "2024-01-10"],
        ["(unknown)", day, "", "2023-05-02"],
        ["bo@x.example", day, "", "2024-01-10"],
    ];
    let (found, notes) = licensed(&rows);
    let mut apart = found.clone();
    apart.dedup();
    assert_eq!((found.len(), apart.len()), (4, 4));
    assert_eq!(mended(&notes), [("User Principal Name", Mending::Nameless, 3, 2)]);
    let again: Vec<[&str; 4]> =
        rows.into_iter().rev().map(|[user, _, used, since]| [user, "2025-03-12", used, since]).collect();
    assert_eq!(licensed(&again).0, found, "the next report knows them again by the day of their licence");
}

/// Partner Center subscriptions of these (id, quantity, start, end).
fn purchases(rows: &[[&str; 4]]) -> String {
    let one = |[id, quantity, start, end]: &[&str; 4]| {
        format!(
            "{{\"id\": \"{id}\", \"offerId\": \"{{C0FFEE00-0001-4E00-9E00-0000000000CC}}\", \"offerName\": \"Sample E3\", \
             \"quantity\": {quantity}, \"creationDate\": \"{start}\", \"commitmentEndDate\": {end}, \"status\": \"active\"}}"
        )
    };
    format!("{{\"items\": [{}]}}", rows.iter().map(one).collect::<Vec<_>>().join(","))
}

#[test]
fn lists_in_json_spell_numbers_dates_and_ids_in_many_ways() {
    let (found, notes) = import(
        Format::PcSubscriptions,
        &purchases(&[
            ["{5B0C1D2E-0041-4F00-8A00-00000000ABCD}", "\"12\"", "2025-01-10T00:00:00Z", "\"9999-12-14T00:00:00Z\""],
            ["5B0C1D2E-0042-4F00-8A00-00000000ABCD", "7.0", "/Date(1736467200000)/", "\"/Date(253402214400000)/\""],
            [
                " 5b0c1d2e-0043-4f00-8a00-00000000abcd ",
                "\"1,200\"",
                "2025-01- 10",
                "{\"value\": \"/Date(1767225600000)/\"}",
            ],
            ["S-4", "\"many\"", "2025-01-10", "null"],
        ]),
    );
    let start = Some("2025-01-10");
    assert_eq!(terms(&found), [(start, None), (start, None), (None, Some("2026-01-01"))]);
    let ids = each(&found, |kind| match kind {
        Kind::Subscription(it) => Some(it.subscription_id.as_str()),
        _ => None,
    });
    let id = |number: u32| format!("5b0c1d2e-{number:04}-4f00-8a00-00000000abcd");
    assert_eq!(ids, [id(41), id(42), id(43)]);
    assert_eq!(seats(&found), [12, 12, 7, 7, 1_200]);
    let skus = each(&found, |kind| if let Kind::Sku(it) = kind { Some(it.sku_id.as_str()) } else { None });
    assert_eq!(skus, ["c0ffee00-0001-4e00-9e00-0000000000cc"]);
    let customers =
        each(&found, |kind| if let Kind::Customer(it) = kind { Some(it.customer_id.as_str()) } else { None });
    assert_eq!(customers, ["c0ffee00-0001-4e00-9e00-0000000000bb"]);
    assert_eq!(found.rejections.len(), 1);
    assert_eq!(
        mended(&notes),
        [("commitmentEndDate", Mending::NoDay, 2, 1), ("creationDate", Mending::DateLeftOut, 1, 3)]
    );
}

#[test]
fn lists_in_json_tell_their_order_as_tables_do() {
    let one = |start| purchases(&[["S-1", "5", start, "null"]]);
    let (found, _) =
        import(Format::PcSubscriptions, &purchases(&[["S-1", "5", "3/4/2025 12:00:00 AM", "\"12/31/2025\""]]));
    assert_eq!(terms(&found), [(Some("2025-03-04"), Some("2025-12-31"))]);
    assert!(refused(Format::PcSubscriptions, &one("3\\/4\\/2025")).contains("--dates"));
}

#[test]
fn seats_without_end_are_noted_in_every_list() {
    let graph = |sku: &str, seats: u64| {
        format!(
            "{{\"id\": \"S-{sku}-{seats}\", \"skuId\": \"K-{sku}\", \"skuPartNumber\": \"{sku}\", \"status\": \"Enabled\", \
             \"totalLicenses\": {seats}}}"
        )
    };
    let sizes = [10_000, 50_000, 100_000, 500_000, 1_000_000, 10_000_000, 9_999];
    let list: Vec<String> = (0..).zip(sizes).map(|(at, size)| graph(&format!("SAMPLE_{at}"), size)).collect();
    let text = format!("{{\"value\": [{}, {}]}}", list.join(","), graph("POWER_BI_STANDARD", 1_000_000));
    let (_, notes) = import(Format::GraphSubscriptions, &text);
    let expected: Vec<String> = (0..6).map(|at| format!("SAMPLE_{at}")).collect();
    assert_eq!(notes.perhaps_free.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(notes.free_without_end.into_iter().collect::<Vec<_>>(), ["POWER_BI_STANDARD"]);
    let (_, notes) = import(Format::PcSubscriptions, &purchases(&[["S-1", "500000", "2025-01-01", "null"]]));
    assert_eq!(notes.perhaps_free.into_iter().collect::<Vec<_>>(), ["Sample E3"]);
    let (_, notes) = import(Format::InsightsSubscriptions, &report(&[["", "", "2025-03-01", "100000", ""]]));
    assert_eq!(notes.perhaps_free.into_iter().collect::<Vec<_>>(), ["Sample E3"]);
    let own = "{\"kind\":\"subscription_state\",\"subscription_id\":\"S\",\"effective\":\"2025-01-01\",\"status\":\"Active\",\
               \"seats\":1000000}\n";
    let (_, notes) = import(Format::Ndjson, own);
    assert_eq!(mended(&notes), [("subscription_state.seats", Mending::SeatsWithoutEnd, 1, 1)]);
}

#[test]
fn own_records_lose_a_field_that_no_figure_needs_and_keep_the_rest() {
    let (found, notes) = import(
        Format::Ndjson,
        concat!(
            r#"{"kind":"subscription","subscription_id":"S-1","customer_id":"C","sku_id":"K","start":"0001-01-01","end":"9999-12-31T00:00:00Z","recorded_at":"0001-01-01T00:00:00Z"}"#,
            "\n",
            r#"{"kind":"subscription","subscription_id":"S-2","customer_id":"C","sku_id":"K","start":"2025-01-10T00:00:00Z","end":"soon"}"#,
            "\n",
            r#"{"kind":"assignment","subscription_id":"S-1","user_id":"u","from":"2025-01-01","to":"2200-01-01"}"#,
            "\n",
            r#"{"kind":"subscription_state","subscription_id":"S-1","effective":"2025-01-01","status":"Active","seats":"25","trial":"true"}"#,
            "\n",
            r#"{"kind":"revenue","subscription_id":"S-1","month":"2025-01","amount":0.00000125,"currency":"EUR"}"#,
            "\n",
            r#"{"kind":"revenue","subscription_id":"S-2","month":"2025-01","amount":"1,234.50","currency":"EUR"}"#,
            "\n",
        ),
    );
    assert!(found.rejections.is_empty(), "{:?}", found.rejections);
    assert_eq!(terms(&found), [(None, None), (Some("2025-01-10"), None)]);
    assert_eq!(seats(&found), [25]);
    assert_eq!(amounts(&found), ["0.000001", "1234.5"]);
    let to = each(&found, |kind| if let Kind::Assignment(it) = kind { Some(it.to_day.clone()) } else { None });
    assert_eq!(to, [None]);
    assert_eq!(
        mended(&notes),
        [
            ("assignment.to", Mending::NoDay, 1, 3),
            ("revenue.amount", Mending::Rounded, 1, 5),
            ("subscription.end", Mending::NoDay, 1, 1),
            ("subscription.end", Mending::DateLeftOut, 1, 2),
            ("subscription.recorded_at", Mending::NoDay, 1, 1),
            ("subscription.start", Mending::NoDay, 1, 1),
        ]
    );
}

#[test]
fn own_tables_tell_the_order_of_their_days_too() {
    let table = |days: &[&str]| {
        let rows: Vec<String> = days.iter().map(|day| format!("S-1,u,{day}")).collect();
        format!("# from a spreadsheet\nsubscription_id,user_id,from\n{}\n", rows.join("\n"))
    };
    let held = |text: &str, dates| {
        let (found, _) = try_import(Format::Csv, text, dates).unwrap();
        each(&found, |kind| if let Kind::Assignment(it) = kind { Some(it.from_day.clone()) } else { None })
    };
    assert_eq!(held(&table(&["05/03/2025", "23/01/2025"]), None), ["2025-03-05", "2025-01-23"]);
    assert!(refused(Format::Csv, &table(&["05/03/2025"])).contains("--dates"));
    assert_eq!(held(&table(&["05/03/2025"]), Some(DateOrder::MonthFirst)), ["2025-05-03"]);
    assert_eq!(held(&table(&["2025-03-05 00:00:00"]), None), ["2025-03-05"]);
}

#[test]
fn names_of_skus_that_differ_in_case_and_blanks_only_are_one() {
    let header = "SubscriptionId,Month,CustomerTenantId,SKU,Product,MPNID,PartnerAttributionType,AvailableSeatsEOP\n";
    let rows = "S-1,2025-03-01,C-1,Sample  365 E3,Sample 365,1,CSP,10\n\
                S-1,2025-03-01,C-1,SAMPLE 365 e3 ,SAMPLE  365,2,DPOR,10\n";
    let (found, _) = import(Format::InsightsSubscriptions, &format!("{header}{rows}"));
    assert_eq!(seats(&found), [10], "one subscription under two partner ids");
    let skus =
        each(
            &found,
            |kind| if let Kind::Sku(it) = kind { Some((it.sku_id.as_str(), it.product.as_str())) } else { None },
        );
    assert_eq!(skus, [("Sample 365 E3", "Sample 365")]);

    let header = "CustomerTenantId,Month,SKU,ProductPartNumber,IsDuplicateRowForPGA,BilledRevenueUSD\n";
    let rows = "C-1,2025-03-01,Sample 365 E3,AAA-1,0,50\nC-1,2025-03-01,sample 365 e3,aaa-1 ,1,50\nC-1,2025-03-01,SAMPLE 365 E3,AAA-2,0,7\n";
    let (found, _) = import(Format::InsightsCustomers, &format!("{header}{rows}"));
    assert_eq!(amounts(&found), ["57.00"]);
}

#[test]
fn what_is_read_in_another_shape_obeys_the_same_rules() {
    let one = |user: &str, used: &str, since: &str| {
        format!(
            "{{\"reportRefreshDate\": \"05/03/2025\", \"userPrincipalName\": \"{user}\", \"isDeleted\": \"False\", \
             \"hasTeamsLicense\": \"True\", \"teamsLastActivityDate\": \"{used}\", \"teamsLicenseAssignDate\": \"{since}\"}}"
        )
    };
    let list = [one("(Unknown)", "04/03/2025", "9999-12-31"), one("(Unknown)", "01/03/2025", "23/01/2024")].join(",");
    let json = format!("{{\"value\": [{list}]}}");
    let (found, notes) = import(Format::GraphUserDetail, &json);
    let days: Vec<String> = found.activity.iter().map(|(_, activity)| activity.day.to_string()).collect();
    assert_eq!(days, ["2025-03-04", "2025-03-01"]);
    let rows: Vec<_> = mended(&notes).into_iter().map(|(_, what, rows, first)| (what, rows, first)).collect();
    assert_eq!(rows, [(Mending::NoDay, 1, 1), (Mending::Nameless, 2, 1)], "counted as elements");

    let text = users(&[["ana@x.example", "05/03/2025", "04/03/2025", "23/01/2024"]]);
    let utf_16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let mut collected = Collected::default();
    read(Format::GraphUserDetail, &mut &utf_16[..], &options(None), &mut collected).unwrap();
    assert_eq!(collected.activity[0].1.day.to_string(), "2025-03-04");
}

#[test]
fn numbers_that_are_not_there_are_none_and_dollars_may_be_marked() {
    let month = "2025-03-01";
    let (found, notes) = import(
        Format::InsightsSubscriptions,
        &report(&[
            ["", "", month, "NULL", "USD 12.5"],
            ["", "", month, "1,23,456", "12 usd"],
            ["", "", month, "1\u{2009}000", "1\u{2009}234,5"],
            ["", "", month, "5", "EUR 12"],
        ]),
    );
    assert_eq!(seats(&found), [0, 123_456, 1_000, 5]);
    assert_eq!(amounts(&found), ["12.5", "12", "1234.5"]);
    assert!(found.rejections.is_empty(), "{:?}", found.rejections);
    let left_out = mended(&notes).into_iter().filter(|(_, what, ..)| *what == Mending::AmountLeftOut);
    assert_eq!(left_out.collect::<Vec<_>>(), [("BilledRevenueUSD", Mending::AmountLeftOut, 1, 5)]);
    let usage = "SubscriptionId,Month,CustomerTenantId,SKU,AvailableSeats,AssignedSeats,ActiveSeats\nS-1,2025-03,C-1,Sample,5,N/A,-\n";
    let (found, _) = import(Format::InsightsDynamicsUsage, usage);
    let unknown =
        each(&found, |kind| if let Kind::ReportedSeats(it) = kind { Some((it.assigned, it.active)) } else { None });
    assert_eq!(unknown, [(None, None)]);
}

#[test]
fn months_and_days_by_name_are_read() {
    let row = |start, month| [start, "", month, "5", ""];
    let (found, _) = import(
        Format::InsightsSubscriptions,
        &report(&[row("21-Mar-2025", "Mar 2025"), row("March 21 2025", "03/2025"), row("2025-03-21", "202503")]),
    );
    assert_eq!(terms(&found), [(Some("2025-03-21"), None); 3]);
    let months = each(&found, |kind| if let Kind::ReportedSeats(it) = kind { Some(it.month.as_str()) } else { None });
    assert_eq!(months, ["2025-03"; 3]);
    let (found, _) =
        import(Format::InsightsSubscriptions, &report(&[row("", "Mar-25"), row("", "2025-W10"), row("", "März 2025")]));
    assert_eq!(found.rejections.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["Month"; 3]);
    let (found, _) = import(Format::Csv, "subscription_id,month,amount,currency\nS-1,03/2025,5,USD\n");
    assert_eq!(
        each(&found, |kind| if let Kind::Revenue(it) = kind { Some(it.month.as_str()) } else { None }),
        ["2025-03"]
    );
}

#[test]
fn a_table_that_a_spreadsheet_saved_in_another_language_is_read() {
    let rows = [["ana@x.example", "05/03/2025 12:00:00 a. m.", "23/01/2025", "23/01/2024"]];
    let plain = [["ana@x.example", "2025-03-05", "2025-01-23", "2024-01-23"]];
    let said = |text: &str| format!("{:?}", import(Format::GraphUserDetail, text).0);
    for (yes, no) in [("WAHR", "FALSCH"), ("VRAI", "FAUX"), ("VERDADEIRO", "FALSO")] {
        let text = users(&rows).replace("True", yes).replace("False", no);
        assert_eq!(said(&text), said(&users(&plain)), "{yes}");
    }
    let own = "subscription_id,effective,status,seats,trial\nS-1,2025-03-01,Active,5,WAHR\n";
    let trials =
        each(&import(Format::Csv, own).0, |kind| if let Kind::SubscriptionState(it) = kind { it.trial } else { None });
    assert_eq!(trials, [true]);
}

#[test]
fn a_number_of_our_own_that_may_be_two_costs_the_row() {
    let state = |number: &str| {
        let text = format!("subscription_id;effective;status;seats\nS-1;2025-03-01;Active;{number}\n");
        let (found, _) = import(Format::Csv, &text);
        (seats(&found), found.rejections.len())
    };
    assert_eq!(state("1.000"), (vec![], 1), "a thousand, or one with three decimals");
    assert_eq!(state("1,000"), (vec![1_000], 0));
    assert_eq!(state("1E+03"), (vec![1_000], 0));
    assert_eq!(state("25.0"), (vec![25], 0));
}

#[test]
fn a_report_of_days_to_come_says_so() {
    let ahead = |notes: &Notes| notes.remarks.iter().any(|remark| remark.contains("lie ahead"));
    let row = |month| [["", "", month, "5", ""]];
    assert!(!ahead(&import(Format::InsightsSubscriptions, &report(&row("2025-06-01"))).1));
    assert!(ahead(&import(Format::InsightsSubscriptions, &report(&row("2025-07-01"))).1));
    assert!(!ahead(&import(Format::GraphUserDetail, &users(&[["ana@x.example", "2025-06-21", "", ""]])).1));
    assert!(ahead(&import(Format::GraphUserDetail, &users(&[["ana@x.example", "2025-12-06", "", ""]])).1));
}
