//! `insights demo`.

use std::{path::Path, time::Duration};

use clap::Args;
use insights_access::{Issuer, Role, TokenRequest, role_name};
use insights_domain::calendar::{Day, Month};
use insights_generate::{GenerateOptions, generate};
use insights_import::Stopped;
use insights_product::{Product, Resolved, Service, Settings, token_path, write_private};
use insights_proto::{
    metrics::v1::{Measure, Query, Row, Scope, value::Kind},
    reporting::v1 as reporting,
};
use insights_reporting::{DevelopmentToken, DevelopmentTokens};
use insights_service::{Clock, Telemetry};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    client::{
        Caller,
        batch::{BatchLimits, Batcher},
        import::{Summary, send, wait_until_visible},
    },
    commands::{generate::today, serve::bind, token::all_roles},
    failure::Failure,
    output,
};

/// `insights demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The port to listen on; 0: any that is free [default: 8080].
    #[arg(long)]
    pub port: Option<u16>,
    /// How many customers to make.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub customers: u32,
    /// Print the key figures and exit; without --data-dir nothing is kept.
    #[arg(long)]
    pub once: bool,
}

/// The partner of the demo.
const PARTNER: &str = "demo";
const MONTHS: u32 = 24;
const SEED: u64 = 1;
/// Ready sign-ins are minted anew at every start.
const SIGN_IN: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Months the figures that are flows are summed over, as on the dashboards.
const RANGE: i32 = 12;

/// What a data directory of the demo holds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    customers: u32,
    /// The last day with data.
    end: String,
}

/// Shows the product on this machine.
pub async fn run(resolved: &Resolved, clock: &Clock, command: &DemoArgs, json: bool) -> Result<(), Failure> {
    let mut settings = resolved.settings.clone();
    if !settings.is_local() {
        return Err(Failure::Usage("the demo signs people in itself: leave access.people.issuer unset".into()));
    }
    let _telemetry = Telemetry::start(&settings.telemetry, &[], false)?;
    // Kept until the end, and gone then.
    let mut kept_until_end = None;
    if command.once && !resolved.origins.contains_key("data_dir") {
        let folder = tempfile::tempdir().map_err(|error| Failure::because("a temporary directory", &error))?;
        settings.data_dir = folder.path().to_owned();
        kept_until_end = Some(folder);
    }
    let listener = if command.once { None } else { Some(bind(&settings).await?) };
    let mut product = Product::start(&settings, clock, &Service::ALL, Some(sign_ins(&settings, clock)?)).await?;
    let token = write_tokens(&settings, clock)?;
    let caller = Caller::new(product.channel(), &token, "demo")?;
    fill(&settings, clock, command.customers, &caller).await?;
    let figures = figures(&caller).await?;
    let Some(listener) = listener else {
        print(&figures, json)?;
        product.stop().await;
        drop(kept_until_end);
        return Ok(());
    };
    let address = listener.local_addr().map_err(|error| Failure::because("the listener", &error))?;
    product.listen(listener);
    let mut figures = figures;
    if json {
        figures.0.push(("url".into(), output::Cell::Text(format!("http://{address}/"))));
        figures.0.push(("tokens".into(), output::Cell::Text(settings.data_dir.join("tokens").display().to_string())));
    }
    print(&figures, json)?;
    if !json {
        let folder = settings.data_dir.join("tokens");
        eprintln!("\nsign-ins, one file per role: {}", folder.display());
        eprintln!("the commands of this machine use them: insights report customers");
        eprintln!("open http://{address}/ (Ctrl-C ends the demo)");
    }
    Ok(product.run().await?)
}

fn request(role: Role) -> TokenRequest {
    TokenRequest { roles: vec![role], partner: PARTNER.into(), ttl: SIGN_IN, ..TokenRequest::default() }
}

fn issuer(settings: &Settings, clock: &Clock) -> Result<Issuer, Failure> {
    Issuer::open_at(&settings.data_dir, clock.clone())
        .map_err(|error| Failure::because("the development issuer", &error))
}

/// Sign-ins for the page, one per role.
fn sign_ins(settings: &Settings, clock: &Clock) -> Result<DevelopmentTokens, Failure> {
    let issuer = issuer(settings, clock)?;
    Ok(DevelopmentTokens::new(move || {
        let one = |role: Role| {
            let name = role_name(role);
            let token = issuer.mint(&request(role)).ok()?;
            Some(DevelopmentToken { name: title(&name), role: name, token })
        };
        all_roles().filter(|role| *role != Role::DataSource).filter_map(one).collect()
    }))
}

/// `report_viewer` → `Report viewer`.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Writes a sign-in per role; the answer is the Global admin's.
fn write_tokens(settings: &Settings, clock: &Clock) -> Result<String, Failure> {
    let issuer = issuer(settings, clock)?;
    let mut admin = String::new();
    for role in all_roles() {
        let token = issuer.mint(&request(role)).map_err(|error| Failure::because("the development issuer", &error))?;
        write_private(&token_path(&settings.data_dir, &role_name(role)), &format!("{token}\n"))?;
        if role == Role::GlobalAdmin {
            admin = token;
        }
    }
    Ok(admin)
}

/// Says how far the figures are that are waited for.
fn say_shown(shown: &str) {
    eprintln!("waiting for the figures to show the partner: {shown}");
}

/// Imports the generated partner, unless the data directory has it already.
async fn fill(settings: &Settings, clock: &Clock, customers: u32, caller: &Caller) -> Result<(), Failure> {
    let path = settings.data_dir.join("demo.json");
    if let Some(marker) = read_marker(&path)? {
        if marker.customers != customers {
            let (folder, there) = (settings.data_dir.display(), marker.customers);
            return Err(Failure::Usage(format!(
                "{folder} holds a demo of {there} customers: say --customers {there}, or choose another --data-dir"
            )));
        }
        return wait_until_visible(caller, 0, say_shown).await;
    }
    let end = today(clock);
    eprintln!("making a partner of {customers} customers and {MONTHS} months");
    let summary = import_generated(GenerateOptions { customers, months: MONTHS, seed: SEED, end }, caller).await?;
    if let Some(listed) = summary.rejections.first() {
        return Err(Failure::Failed(format!("a generated record was rejected: {:?}", listed.rejection)));
    }
    wait_until_visible(caller, summary.version.unwrap_or_default(), say_shown).await?;
    let marker = serde_json::to_string(&Marker { customers, end: end.to_string() });
    let marker = marker.map_err(|error| Failure::because("demo.json", &error))?;
    Ok(write_private(&path, &marker)?)
}

fn read_marker(path: &Path) -> Result<Option<Marker>, Failure> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| Failure::because(&path.display().to_string(), &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::because(&path.display().to_string(), &error)),
    }
}

/// Generates on one thread and sends on another, through the same door as every client.
async fn import_generated(options: GenerateOptions, caller: &Caller) -> Result<Summary, Failure> {
    let (sender, mut batches) = mpsc::channel(2);
    let made = tokio::task::spawn_blocking(move || {
        let mut batcher =
            Batcher::new(BatchLimits::default(), |batch| sender.blocking_send(batch).map_err(|_| Stopped));
        generate(&options, &mut batcher)?;
        batcher.finish()
    });
    let mut summary = Summary::default();
    while let Some(batch) = batches.recv().await {
        // Without an id: a demo broken off is made again, and what is there already changes nothing.
        send(caller, batch, String::new(), false, None, &mut summary).await?;
    }
    match made.await {
        Ok(Ok(())) => Ok(summary),
        _ => Err(Failure::Failed("the partner could not be made".into())),
    }
}

/// Key figures of the last month, and of the range that ends with it.
async fn figures(caller: &Caller) -> Result<output::Object, Failure> {
    let request = caller.request(reporting::GetFreshnessRequest { min_version: 0 }, Duration::from_secs(60));
    let freshness = caller.reporting().get_freshness(request).await?.into_inner().freshness.unwrap_or_default();
    let through: Day = freshness
        .complete_through
        .parse()
        .map_err(|_| Failure::Failed("INTERNAL: the server does not say how far the data is complete".into()))?;
    let (from, to) = range(through);
    // As on the first view of the pages: customers that are sold to or managed, seats of all sellers.
    let (sold, all) = (Scope::SoldOrManaged, Scope::AllSellers);
    let of_customers = [Measure::Customers, Measure::ActiveCustomers, Measure::Subscriptions];
    let of_seats = [
        Measure::Available,
        Measure::Assigned,
        Measure::Active,
        Measure::ActiveUsagePercent,
        Measure::DeploymentPercent,
        Measure::UsagePercent,
    ];
    let customer_rows = ask(caller, &of_customers, sold, to, to).await?;
    let seat_rows = ask(caller, &of_seats, all, to, to).await?;
    let flow_rows = ask(caller, &[Measure::New, Measure::Churned], sold, from, to).await?;
    let sum = |at: usize| flow_rows.iter().map(|row| count(row, at)).sum::<i64>();
    let mut object = output::Object::default();
    let mut add = |name: &str, cell| object.0.push((name.to_owned(), cell));
    add("month", output::Cell::Text(to.to_string()));
    add("scope_of_customers", output::Cell::Text(sold.short_name()));
    for (at, measure) in of_customers.iter().enumerate() {
        add(&measure.short_name(), cell(customer_rows.last(), at));
        if *measure == Measure::ActiveCustomers {
            add("added", output::Cell::Count(sum(0)));
            add("churned", output::Cell::Count(sum(1)));
        }
    }
    add("scope_of_seats", output::Cell::Text(all.short_name()));
    for (at, measure) in of_seats.iter().enumerate() {
        add(&measure.short_name(), cell(seat_rows.last(), at));
    }
    add("from", output::Cell::Text(from.to_string()));
    add("to", output::Cell::Text(to.to_string()));
    add("complete_through", output::Cell::Text(freshness.complete_through));
    Ok(object)
}

fn range(through: Day) -> (Month, Month) {
    let last = through.month();
    (last.plus(1 - RANGE), last)
}

fn cell(row: Option<&Row>, at: usize) -> output::Cell {
    match row.and_then(|row| row.values.get(at)).and_then(|value| value.kind.as_ref()) {
        Some(Kind::Count(count)) => output::Cell::Count(*count),
        Some(Kind::Percentage(parts)) => parts.value.map_or(output::Cell::Null, output::Cell::Percent),
        _ => output::Cell::Null,
    }
}

fn count(row: &Row, at: usize) -> i64 {
    match row.values.get(at).and_then(|value| value.kind.as_ref()) {
        Some(Kind::Count(count)) => *count,
        _ => 0,
    }
}

async fn ask(caller: &Caller, measures: &[Measure], scope: Scope, from: Month, to: Month) -> Result<Vec<Row>, Failure> {
    let query = Query {
        measures: measures.iter().map(|measure| (*measure).into()).collect(),
        scope: scope.into(),
        from_month: from.to_string(),
        to_month: to.to_string(),
        ..Query::default()
    };
    let message = reporting::QueryRequest { query: Some(query), min_version: 0, max_bytes: 0 };
    let answer = caller.reporting().query(caller.request(message, Duration::from_secs(60))).await?.into_inner();
    Ok(answer.result.unwrap_or_default().rows)
}

fn print(figures: &output::Object, json: bool) -> Result<(), Failure> {
    if json {
        return output::print_json(figures);
    }
    let rows: Vec<Vec<String>> = figures
        .0
        .iter()
        .map(|(name, cell)| vec![name.replace("_percent", " %").replace('_', " "), cell.shown()])
        .collect();
    output::print(&output::table(&["", ""], &rows, &[false, true]))
}
