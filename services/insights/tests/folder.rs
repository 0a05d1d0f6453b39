//! A folder with one file of each format, against the real product: the figures are those a person works out from the
//! files by hand.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch, StringArray};
use insights_domain::calendar::Day;
use serde_json::{Value, json};
use support::{Server, stderr, stdout};
use tempfile::TempDir;

const F: &str = "c0ffee00-000f-4e00-9e00-0000000000aa";
const G: &str = "c0ffee00-0010-4e00-9e00-0000000000aa";
const H: &str = "c0ffee00-0011-4e00-9e00-0000000000aa";
const J: &str = "c0ffee00-0012-4e00-9e00-0000000000aa";
const K: &str = "c0ffee00-0013-4e00-9e00-0000000000aa";
/// The SKUs "Office 365 Sample E3", with four services, and "Dynamics 365 Sample Sales".
const E3: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const SALES: &str = "aaaaaaaa-0000-4000-8000-000000000002";
const OWN: &str = "11111111-2222-4333-8444-555555555555";

fn plans() -> String {
    let plan = |sku: &str, name: &str, plan: &str| format!("{name},PART ,{sku},{plan},id,Friendly\r\n");
    let e3 = ["EXCHANGE_S_ENTERPRISE", "SHAREPOINTENTERPRISE", "TEAMS1", "YAMMER_ENTERPRISE"];
    let mut text = "\u{feff}Product_Display_Name,String_Id,GUID,Service_Plan_Name,Service_Plan_Id,Service_Plans_Included_Friendly_Names\r\n".to_owned();
    e3.iter().for_each(|it| text.push_str(&plan(E3, "Office 365 Sample E3", it)));
    text + &plan(SALES, "Dynamics 365 Sample Sales", "DYN365_SAMPLE")
}

fn subscriptions(may: u32) -> String {
    format!(
        "SubscriptionId,Month,CustomerTenantId,CustomerMarket,SKUId,SubscriptionState,AvailableSeats,AvailableSeatsEOP,MPNId,PartnerAttributionType,IsDuplicateRowForPGA,BilledRevenueUSD\n\
        S-1,2024-05-01,{F},United States,{E3},Active,{may},{may},4711,CSP,0,200\n\
        S-1,2024-06-01,{F},United States,{E3},Active,5,25,4711,CSP,0,250\n\
        S-1,2024-06-01,{F},United States,{E3},Active,5,25,4712,DPOR,1,250\n\
        S-2,2024-05-01,{G},Brazil,{E3},Active,10,10,4711,CSP,0,80\n\
        S-2,2024-06-01,{G},Brazil,{E3},Churned,-10,0,4711,CSP,0,\n\
        ,2024-06-01,{G},Brazil,{E3},Active,1,1,4711,CSP,0,1\n"
    )
}

/// Writes one file of each format, and one of none.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("anything.csv", plans());
    write(
        "list.json",
        json!({"items": [
            {"id": F, "companyProfile": {"companyName": "Fabrikam", "domain": "fabrikam.example"}},
            {"id": J, "companyProfile": {"companyName": "Jay", "domain": "jay.example"}},
        ]})
        .to_string(),
    );
    write(
        "a.csv",
        format!(
            "CustomerTenantId,CustomerName,CustomerMarket,CustomerSegment,CustomerStatus,Month,SKU,MPNId,PartnerAttributionType,IsDuplicateRowForPGA,AvailableSeats,BilledRevenueUSD\n\
        {F},Fabrikam,United States,Corporate,Active,2024-05-01,Azure plan,4711,CSP,0,,100\n\
        {F},Fabrikam,United States,Corporate,Active,2024-06-01,Azure plan,4711,CSP,0,,50\n\
        {F},Fabrikam,United States,Corporate,Active,2024-06-01,Azure plan,4712,PAL,1,,50\n"
        ),
    );
    write("b.csv", subscriptions(20));
    write("c.tsv", [
        format!("SubscriptionGuid,Month,CustomerTenantId,SKU,SKUId,SubscriptionStatus,FreeVsPaidSKU,PartnerAttachType,PartnerID,AvailableSeats,AssignedSeats,ActiveSeats\n\
        S-3,5/1/2024,{F},Sales,{SALES},Active,Paid,CPOR,4711,40,30,45\n\
        S-3,6/1/2024,{F},Sales,{SALES},Active,Paid,CPOR,4711,40,32,20\n")
    ].concat().replace(',', "\t"));
    write(
        "d.csv",
        format!(
            "CustomerTenantId,WorkloadName,Month,PaidAvailableUnits,MonthlyActiveUsers\n{G},Yammer,2024-05-01,20,30\n{G},Yammer,2024-06-01,20,10\n"
        ),
    );
    write(
        &format!("{F}/2024-06/pc.json"),
        json!({"items": [{"activeUnits": 5, "availableUnits": 4, "consumedUnits": 1,
        "productSku": {"id": "aaaaaaaa-0000-4000-8000-00000000000c", "name": "Power BI Sample", "skuPartNumber": "PBI"},
        "servicePlans": [], "capabilityStatus": "Enabled"}]})
        .to_string(),
    );
    write(&format!("{F}/2024-06/graph.json"), json!({"value": [{"consumedUnits": 2, "prepaidUnits": {"enabled": 7, "warning": 3},
        "skuId": "aaaaaaaa-0000-4000-8000-00000000000d", "skuPartNumber": "VISIOSAMPLE", "capabilityStatus": "Enabled"}]}).to_string());
    let held = |id: &str, seats: u32, trial: bool, created: &str, owner: Value| {
        json!({"id": id, "commerceSubscriptionId": null, "createdDateTime": created, "isTrial": trial, "skuId": E3,
            "skuPartNumber": "PART", "status": "Enabled", "totalLicenses": seats, "ownerTenantId": owner})
    };
    write(
        &format!("{H}/directory 2024-06-30.json"),
        json!({"value": [
            held("S-4", 25, false, "2024-05-10T00:00:00Z", OWN.into()),
            held("S-5", 10, false, "2024-06-05T00:00:00Z", "99999999-2222-4333-8444-555555555555".into()),
            held("S-6", 50, true, "2024-05-10T00:00:00Z", Value::Null),
        ]})
        .to_string(),
    );
    let bought = |id: &str, seats: u32, status: &str| {
        json!({"id": id, "offerId": "OFFER-1", "offerName": "Office 365 Offered", "quantity": seats, "status": status,
            "creationDate": "2024-05-15T08:00:00Z", "effectiveStartDate": "2024-05-15T00:00:00Z"})
    };
    let bought = json!({"totalCount": 2, "items": [bought("S-7", 12, "active"), bought("S-8", 30, "suspended")]});
    write(&format!("customer={J}/month=2024-06/subscriptions.json"), bought.to_string());
    write(&format!("users of {K}.csv"), users("2024-06-28", "True"));
    write(
        "own.txt",
        format!(
            "{{\"kind\":\"customer\",\"customer_id\":\"L\",\"country\":\"PT\"}}\n\
        {{\"kind\":\"subscription\",\"subscription_id\":\"S-9\",\"customer_id\":\"L\",\"sku_id\":\"{E3}\"}}\n"
        ),
    );
    write("states.csv", "subscription_id,effective,status,seats\nS-9,2024-05-01,Active,3\n".into());
    write("seats.csv", "subscription_id;user_id;from;to\nS-9;lin;2024-05-01;\nS-9;lou;2024-06-10;\n".into());
    tables(folder.path());
    write("notes.txt", "Remember the milk.\n".into());
    write(".hidden", "x".into());
    folder
}

/// Two tables as Parquet: what S-9 cost, and that Lin used Teams on 20 May and 1 June, Lou on 20 June.
fn tables(folder: &Path) {
    let write = |name: &str, columns: Vec<(&str, ArrayRef)>| {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = fs::File::create(folder.join(name)).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    let texts = |texts: &[&str]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
    let amounts = Decimal128Array::from(vec![3_000, 1_250]).with_precision_and_scale(10, 2).unwrap();
    let columns = vec![
        ("subscription_id", texts(&["S-9", "S-9"])),
        ("month", texts(&["2024-05", "2024-06"])),
        ("amount", Arc::new(amounts) as _),
        ("currency", texts(&["USD", "USD"])),
    ];
    write("revenue 2024", columns);
    let days = ["2024-05-20", "2024-06-01", "2024-06-20"].map(|day| day.parse::<Day>().unwrap().epoch_days());
    let columns = vec![
        ("customer_id", texts(&["L", "L", "L"])),
        ("user_id", texts(&["lin", "Lin", "lou"])),
        ("service", texts(&["Teams", "Teams", "Teams"])),
        ("day", Arc::new(Date32Array::from(days.to_vec())) as _),
    ];
    write("used.parquet", columns);
}

/// Ada and Bob have Exchange, Carol uses Yammer without a licence; Bob's is there or gone.
fn users(refreshed: &str, bob: &str) -> String {
    let licence = if bob == "True" { "2024-02-01" } else { "" };
    format!(
        "\u{feff}Report Refresh Date,User Principal Name,Is Deleted,Has Exchange License,Has Yammer License,Exchange Last Activity Date,Yammer Last Activity Date,Exchange License Assign Date,Yammer License Assign Date,Assigned Products\r\n\
        {refreshed},ada@kay.example,False,True,False,2024-06-20,,2024-01-10,,OFFICE 365+VISIO\r\n\
        {refreshed},bob@kay.example,False,{bob},False,2024-05-02,,{licence},,OFFICE 365\r\n\
        {refreshed},carol@kay.example,False,False,False,,2024-06-12,,,\r\n"
    )
}

fn query(server: &Server, args: &[&str]) -> Vec<Value> {
    let base = ["query", "--from", "2024-05", "--to", "2024-06", "--scope", "all", "--measures"];
    server.json("global_admin", &[&base, args].concat()).as_array().unwrap().clone()
}

fn pick(rows: &[Value], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

fn import(server: &Server, folder: &TempDir) -> Value {
    let path = folder.path().display().to_string();
    server.json("global_admin", &["import", &path, "--own-tenant", OWN])
}

#[test]
fn a_folder_of_all_formats_gives_the_figures_worked_out_by_hand_on_sqlite() {
    gives_the_figures_worked_out_by_hand(&Server::start());
}

#[test]
fn a_folder_of_all_formats_gives_the_figures_worked_out_by_hand_on_postgres() {
    gives_the_figures_worked_out_by_hand(&Server::start_on_postgres());
}

fn gives_the_figures_worked_out_by_hand(server: &Server) {
    let folder = folder();
    let path = folder.path().display().to_string();
    let dry = server.json("data_source", &["import", &path, "--own-tenant", OWN, "--dry-run"]);
    assert_eq!((&dry["version"], &dry["rejected"]), (&Value::Null, &json!(1)));
    let tried = server.json("global_admin", &["import", &path, "--own-tenant", OWN, "--dry-run"]);
    let summary = import(server, &folder);
    assert!(summary["figures"]["months"].as_array().is_some_and(|months| months.len() >= 2), "{}", summary["figures"]);
    assert_eq!(tried["figures"]["months"], summary["figures"]["months"], "what was told before is what came");
    says_what_it_did(&summary);
    assert_eq!(summary["waiting"], 0, "catalogue, customers and subscriptions come before what needs them");

    // May: F (S-1, S-3, Azure), G (S-2), H (S-4 from 10 May, the trial S-6), J (S-7 from 15 May), L. June: without G.
    let rows = query(server, &["customers,churned,available,assigned,active"]);
    assert_eq!(pick(&rows, "customers"), [5, 4]);
    assert_eq!(rows[1]["churned"], 1);
    // 20 + 10 + 40 + 25 + 12 + 3; then 25 + 40 + 25 + 10 + 12 + 3, 5 of Power BI and 7 of Visio.
    assert_eq!(pick(&rows, "available"), [110, 127]);
    // S-3 by report, and Lin, then Lin and Lou of L; in June 1 of Power BI and 2 of Visio besides.
    assert_eq!(pick(&rows, "assigned"), [30 + 1, 32 + 2 + 1 + 2]);
    // Lin's 20 May lies within 4 to 31 May, her 1 June not within 3 to 30 June; Lou's 20 June does.
    assert_eq!(pick(&rows, "active"), [45 + 1, 20 + 1]);
    // A partner id more is an attribution more, never an amount more.
    let revenue = query(server, &["billed_revenue"]);
    assert_eq!(pick(&revenue, "billed_revenue"), [json!(380.0 + 30.0), json!(300.0 + 12.5)]);
    let by_location = query(server, &["billed_revenue", "--by", "location", "--filter", "location=4712"]);
    assert_eq!(pick(&by_location, "billed_revenue"), [json!(300.0)], "June only: 250 and 50");

    // Sold by the partner itself: S-4 of H, not S-5 or S-6; S-1 to S-3, S-7 and S-9 are its own as well.
    let own = query(server, &["available", "--filter", "seller=own"]);
    assert_eq!(pick(&own, "available"), [110, 25 + 40 + 25 + 12 + 3]);
    let trial = query(server, &["subscriptions", "--filter", "trial=true"]);
    assert_eq!(pick(&trial, "subscriptions"), [1, 1]);
    // The list of customers came with names only, and takes no country away.
    let by_country = query(server, &["customers", "--by", "country", "--filter", "country=US,BR"]);
    let found: Vec<_> = by_country.iter().map(|row| (row["month"].clone(), row["country"].clone())).collect();
    let expected =
        [("2024-05", "BR"), ("2024-05", "US"), ("2024-06", "US")].map(|(month, it)| (json!(month), json!(it)));
    assert_eq!(found, expected);

    // K: Ada and Bob are licensed for Exchange, Ada used it from 3 to 30 June. L: Lin and Lou hold seats with Exchange.
    let exchange = query(server, &["active_users,total_users", "--filter", "service=Exchange"]);
    assert_eq!((&exchange[1]["active_users"], &exchange[1]["total_users"]), (&json!(1), &json!(2 + 2)));
    assert_eq!(exchange[0]["active_users"], 0, "a last day in June says nothing of May, Bob's 2 May lies before 4 May");
    // Yammer: 10 of G's 20, and Carol of K without a licence; the seats of L carry it, unused.
    let yammer = query(server, &["active_users,total_users", "--filter", "service=Yammer"]);
    assert_eq!((&yammer[1]["active_users"], &yammer[1]["total_users"]), (&json!(11), &json!(20 + 2)));
    assert_eq!((&yammer[0]["active_users"], &yammer[0]["total_users"]), (&json!(30), &json!(20 + 1)));

    let again = import(server, &folder);
    assert_eq!(
        (&again["accepted"], &again["stubs_created"]),
        (&json!(0), &json!(0)),
        "a second import changes nothing"
    );
    assert_eq!(server.json("global_admin", &["verify"])["differences"], 0);
    restated(server);
    ended(server);
}

fn says_what_it_did(summary: &Value) {
    assert_eq!(summary["rejected"], 1);
    assert_eq!(summary["rejections"][0]["row"], 7);
    assert_eq!(summary["rejected_by_reason"], json!({"SubscriptionId: is missing": 1}));
    let files = summary["files"].as_array().unwrap();
    let format = |name: &str| {
        let file = files.iter().find(|file| file["file"].as_str().unwrap().ends_with(name));
        file.unwrap_or_else(|| panic!("{name}: {summary}"))["format"].clone()
    };
    for (name, expected) in [
        ("anything.csv", "product-names"),
        ("list.json", "pc-customers"),
        ("a.csv", "insights-customers"),
        ("b.csv", "insights-subscriptions"),
        ("c.tsv", "insights-dynamics-usage"),
        ("d.csv", "insights-office-usage"),
        ("pc.json", "pc-subscribed-skus"),
        ("graph.json", "graph-subscribed-skus"),
        ("directory 2024-06-30.json", "graph-subscriptions"),
        ("subscriptions.json", "pc-subscriptions"),
        (&format!("users of {K}.csv"), "graph-user-detail"),
        ("own.txt", "ndjson"),
        ("states.csv", "csv"),
        ("seats.csv", "csv"),
        ("revenue 2024", "parquet"),
        ("used.parquet", "parquet"),
    ] {
        assert_eq!(format(name), expected, "{name}");
    }
    assert_eq!((format("notes.txt"), files.len()), (Value::Null, 17));
    let notes = summary["notes"].to_string();
    assert!(notes.contains("notes.txt") && notes.contains("lower bound"), "{notes}");
    // Customers F by reports, G, H and K; the SKUs of both licence lists, of Azure and of the offer; three subscriptions
    // of Graph and one of DynamicsUsage. What a fuller file told before is not needed, and not counted.
    assert!(summary["stubs_created"].as_u64().unwrap() >= 10, "{summary}");
}

/// A month reported again replaces the old one, which stays readable as of its time.
fn restated(server: &Server) {
    #[allow(clippy::disallowed_methods, reason = "the server's clock is the machine's")]
    let before = chrono::Utc::now().to_rfc3339();
    let file = server.file("restated.csv", &subscriptions(22));
    let summary = server.json("data_source", &["import", &file]);
    assert_eq!(summary["accepted"], 1, "only one row says something new: {summary}");
    let available = |args: &[&str]| pick(&query(server, &[&["available"], args].concat()), "available");
    assert_eq!(available(&[]), [112, 127]);
    assert_eq!(available(&["--as-of", &before]), [110, 127]);
}

/// A later file without a licence ends it on its refresh date, wherever it is imported.
fn ended(server: &Server) {
    server.on_another_machine();
    let file = server.file("later.csv", &users("2024-06-29", "False"));
    server.json("data_source", &["import", "graph-user-detail", &file, "--customer", K]);
    let rows = query(server, &["total_users", "--filter", "service=Exchange"]);
    assert_eq!(pick(&rows, "total_users"), [2 + 1, 1 + 2]);
}

#[test]
fn a_stub_gives_way_to_what_is_known_in_whatever_order_it_comes() {
    let full = format!(
        "{{\"kind\":\"customer\",\"customer_id\":\"{F}\",\"name\":\"Fabrikam\",\"country\":\"PT\",\"segment\":\"Corporate\"}}\n\
        {{\"kind\":\"sku\",\"sku_id\":\"{E3}\",\"name\":\"E3\",\"product\":\"Office 365\",\"services\":[\"Teams\"]}}\n"
    );
    let list = json!({"items": [{"id": F, "companyProfile": {"companyName": "Fabrikam, Inc."}}]}).to_string();
    let licences =
        json!({"value": [{"consumedUnits": 2, "prepaidUnits": {"enabled": 7}, "skuId": E3, "skuPartNumber": "PART"}]});
    for full_first in [true, false] {
        let server = Server::start();
        let file = |name: &str, text: &str| PathBuf::from(server.file(name, text)).display().to_string();
        let (full, reports) = (file("full.ndjson", &full), file("reports.csv", &subscriptions(20)));
        let (list, licences) = (file("list.json", &list), file("licences.json", &licences.to_string()));
        let import = |args: &[&str]| server.json("data_source", &[&["import"], args].concat());
        if full_first {
            import(&["ndjson", &full]);
        }
        import(&["insights-subscriptions", &reports]);
        import(&["graph-subscribed-skus", &licences, "--customer", F, "--month", "2024-06"]);
        import(&["pc-customers", &list]);
        // Until somebody knows better, what the report said of the customer holds, not the list's silence.
        let country = if full_first { "PT" } else { "US" };
        let by = |dimension: &str| {
            let rows = query(&server, &["customers", "--by", dimension, "--filter", &format!("customer={F}")]);
            rows.last().unwrap()[dimension].clone()
        };
        assert_eq!(by("country"), country);
        if !full_first {
            import(&["ndjson", &full]);
        }
        assert_eq!(
            (by("country"), by("segment"), by("product")),
            (json!("PT"), json!("Corporate"), json!("Office 365"))
        );
    }
}

#[test]
fn what_cannot_be_imported_is_named_and_the_rest_goes_on() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("users.csv", &users("2024-06-28", "True"));
    write("own.ndjson", "{\"kind\":\"customer\",\"customer_id\":\"L\"}\n");
    let path = folder.path().display().to_string();
    let output = server.run("data_source", &["import", &path, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("users.csv") && stderr(&output).contains("--customer"), "{}", stderr(&output));
    assert_eq!(serde_json::from_str::<Value>(&stdout(&output)).unwrap()["accepted"], 1, "{}", stdout(&output));
    let said = server.json("data_source", &["import", &path, "--customer", K]);
    assert_eq!((&said["rejected"], &said["duplicates"]), (&json!(0), &json!(1)));

    let usage = |args: &[&str]| {
        let output = server.run("data_source", &[&["import"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stderr(&output)
    };
    let users = folder.path().join("users.csv").display().to_string();
    assert!(usage(&["graph-user-detail", &users]).contains("--customer"));
    assert!(usage(&["graph-user-detail", &users, "--customer", K, "--month", "2024-06"]).contains("--month"));
    assert!(usage(&["product-names"]).contains("product-names"));
    fs::remove_file(&users).unwrap();
    fs::rename(folder.path().join("own.ndjson"), folder.path().join(".own")).unwrap();
    write("milk.txt", "Remember the milk.\n");
    let output = server.run("data_source", &["import", &path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("milk.txt: not recognised"), "{}", stderr(&output));
    let missing = server.run("data_source", &["import", "no-such-format-or-file", &path]);
    assert_eq!(missing.status.code(), Some(2), "{}", stderr(&missing));
}

/// What may lie beside good files: downloads that went wrong, files of other programs, and what people keep.
fn add_what_is_none(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("x-page.csv", b"<!DOCTYPE html>\r\n<html><head><title>Sign in to your account</title></head></html>");
    write("x-throttled.csv", b"<html><title>429 Too Many Requests</title></html>");
    write("x-error.json", b"{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}");
    write("x-expired.csv", b"<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code></Error>");
    let latin: Vec<u8> = subscriptions(1).chars().map(|letter| letter as u8).collect();
    write("x-latin.csv", &[&latin[..], b"S-2,2024-05-01,M\xfcller,Brazil,K,Active,1,1,1,CSP,0,1\n"].concat());
    write("x-cut.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x0b\x76");
    write("x-old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    write("y-header.csv", subscriptions(1).lines().next().unwrap().as_bytes());
    write("y-nothing.csv", b"");
    write("y-list.json", b"[]");
    write("z-picture.png", b"\x89PNG\r\n\x1a\n\0\0\0");
    write("z-readme.md", b"# Reports\n\nFrom the portal, by hand.\n");
    write("z-settings.ini", b"[network]\r\nhost = reports\r\n");
    write("Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    write("desktop.ini", b"[.ShellClassInfo]\r\nIconResource=x.dll,1\r\n");
    write("~$x-old.xlsx", b"\x07a name");
    write("z-package.json", b"{\"name\": \"reports\", \"version\": \"1.0.0\", \"private\": true}");
}

#[test]
fn a_folder_of_good_broken_and_other_files_is_told_apart_file_by_file() {
    let server = Server::start();
    let folder = folder();
    add_what_is_none(folder.path());
    let path = folder.path().display().to_string();
    let output = server.run("data_source", &["import", &path, "--own-tenant", OWN]);
    let (said, told) = (stderr(&output), stdout(&output));
    println!("{said}{told}");
    assert_eq!(output.status.code(), Some(1), "downloads that went wrong are missing from the figures");
    for (name, words) in [
        ("x-page.csv", &["a web page (\"Sign in to your account\")", "sign in"][..]),
        ("x-throttled.csv", &["asked too often: wait"]),
        ("x-error.json", &["TooManyRequests: slow down", "wait"]),
        ("x-expired.csv", &["AuthenticationFailed", "expired"]),
        ("x-latin.csv", &["windows-1252", "CSV UTF-8"]),
        ("x-cut.csv.gz", &["not downloaded whole"]),
        ("x-old.xls", &["save it as .xlsx"]),
        ("y-header.csv", &["no rows in it"]),
        ("y-nothing.csv", &["left out: it is empty"]),
        ("y-list.json", &["left out: it is an empty list"]),
        ("z-picture.png", &["left out: it is a picture"]),
        ("z-readme.md", &["left out: its columns are those of no known format"]),
        ("z-settings.ini", &["left out: its columns are those of no known format"]),
        ("z-package.json", &["left out: its members are those of no known format"]),
    ] {
        let about: String = said.lines().filter(|line| line.contains(name)).collect::<Vec<_>>().join("\n");
        assert!(words.iter().all(|word| about.contains(word)), "{name}: {about}");
    }
    for left_behind in ["Thumbs.db", "desktop.ini", "~$x-old.xlsx"] {
        assert!(!said.contains(left_behind), "{left_behind}: {said}");
    }
    // What is good is imported all the same, and once only.
    let rows = query(&server, &["customers,available"]);
    assert_eq!(
        (pick(&rows, "customers"), pick(&rows, "available")),
        (vec![json!(5), json!(4)], vec![json!(110), json!(127)])
    );
}

#[test]
fn a_file_whose_every_row_is_rejected_completes_no_month_and_is_a_failure() {
    let server = Server::start();
    let licences = |units: &str| {
        let sku = json!({"id": E3, "name": "Microsoft 365 E3", "skuPartNumber": "SPE_E3"});
        json!({"totalCount": 1, "items": [{units: 100, "consumedUnits": 80, "productSku": sku, "capabilityStatus": "Enabled"}]})
    };
    let (march, april) = (licences("activeUnits").to_string(), licences("units").to_string());
    let (march, april) = (server.file("mar.json", &march), server.file("apr.json", &april));
    let import = |file: &str, month: &str, more: &[&str]| {
        let args = ["import", "pc-subscribed-skus", file, "--customer", F, "--month", month];
        server.run("data_source", &[&args[..], more].concat())
    };
    assert!(import(&march, "2024-03", &[]).status.success());
    for more in [&[][..], &["--strict"], &["--dry-run"]] {
        let output = import(&april, "2024-04", more);
        assert_eq!(output.status.code(), Some(1), "{more:?}");
        assert!(stderr(&output).contains("all its rows were rejected"), "{}", stderr(&output));
        assert!(stdout(&output).contains("0 accepted"), "{}", stdout(&output));
    }
    // What the server alone finds wrong counts as well: the day has not come.
    let future = "{\"kind\":\"subscription_state\",\"subscription_id\":\"S\",\"effective\":\"2999-01-01\",\"status\":\"Active\",\"seats\":1}\n\
        {\"kind\":\"complete_through\",\"day\":\"2024-04-30\"}\n";
    let future = server.file("future.ndjson", future);
    let output = server.run("data_source", &["import", "ndjson", &future]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let args = [
        "query",
        "--measures",
        "available,customers,churned",
        "--from",
        "2024-03",
        "--to",
        "2024-04",
        "--scope",
        "all",
    ];
    let rows = server.json("global_admin", &args);
    assert_eq!(rows.as_array().unwrap().len(), 1, "April is not complete: {rows}");
    assert_eq!((&rows[0]["month"], &rows[0]["available"]), (&json!("2024-03"), &json!(100)));
}
