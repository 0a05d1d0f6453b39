//! P10: every subscription-month of the largest scenario as a file, from the order until it is kept, against PostgreSQL's COPY TO
//! of the very same rows; and the memory of the process meanwhile.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use insights_proto::metrics::v1::{Dimension, Measure, Query};
use insights_proto::reporting::v1::{
    CreateExportRequest, DeleteExportRequest, DownloadExportRequest, Export, ExportFormat, ExportOrder, ExportState,
    GetExportRequest,
};
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    Failure, Options, Report, load,
    portfolio::Portfolio,
    product::{Caller, Product},
    report::{Figure, Samples},
    say,
};

/// Rounds of a workbook, which takes its time.
const WORKBOOKS: usize = 2;
/// How often an export that is being written is asked about.
const ASK_AGAIN: Duration = Duration::from_millis(10);
/// How long the process is left alone before its memory counts as that of an idle one.
const REST: Duration = Duration::from_secs(3);
/// An export of the largest scenario ends within this time.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Budgets: how many times COPY's rate; millions of rows a second; MiB.
const COPIES: f64 = 4.0;
const PARQUET: f64 = 3.0;
const XLSX: f64 = 0.15;
const MEMORY: f64 = 64.0;

/// What was measured of a format.
struct Measured {
    format: ExportFormat,
    name: &'static str,
    /// Millions of rows a second.
    rate: Samples,
    /// Nanoseconds of the product's processor time a row.
    processor: Samples,
    /// MiB over those of the idle process, at most.
    memory: Samples,
}

/// Runs the bench.
pub async fn run(options: &Options) -> Result<Report, Failure> {
    let portfolio = Portfolio::new(options.scenario);
    let mut product = Product::start(options).await?;
    let mut report = Report::new("exports, P10 of tests/benches/README.md", options);
    load::portfolio(&product, &portfolio).await?;
    let version = product.caller().await?.visible(0).await?.version;
    // What a load leaves to the allocator is not what an idle process takes.
    product.restart().await?;
    let caller = product.caller().await?;
    caller.visible(version).await?;

    let (export, _) = write(&caller, &portfolio, ExportFormat::Csv).await?;
    let mut copy = CopyTo::load(product.peers(), &caller, &export).await?;
    remove(&caller, &export).await?;
    let mega = |bytes: i64| bytes / 1_000_000;
    report.note(format!("{} rows; {} MB as CSV", export.rows, mega(export.bytes)));

    let measured = |format, name| {
        let (rate, processor, memory) = Default::default();
        Measured { format, name, rate, processor, memory }
    };
    let mut formats = [
        measured(ExportFormat::Csv, "CSV"),
        measured(ExportFormat::Parquet, "Parquet"),
        measured(ExportFormat::Xlsx, "XLSX"),
    ];
    let mut peer = Samples::default();
    for round in 0..options.rounds {
        for measured in &mut formats {
            if measured.format == ExportFormat::Xlsx && round >= WORKBOOKS {
                continue;
            }
            let written = measured.round(&product, &caller, &portfolio).await?;
            if written.rows != export.rows {
                return Err(format!("{}: {} rows instead of {}", measured.name, written.rows, export.rows).into());
            }
            report.checked("rows written", written.rows);
            if round == 0 {
                report.note(format!("{}: {} MB", measured.name, mega(written.bytes)));
            }
        }
        let rows = export.rows as f64 / 1e6;
        peer.push(rows / copy.run(&export).await?.as_secs_f64());
        say(&format!("round {} of {}", round + 1, options.rounds));
    }
    for Measured { format, name, rate, processor, memory } in &formats {
        let figure = |peer: &Samples| Figure::rate(format!("{name} against COPY"), "M rows/s", rate, peer);
        report.push(match format {
            ExportFormat::Csv => figure(&peer).budget(COPIES),
            ExportFormat::Parquet => Figure::plain((*name).to_owned(), "M rows/s", rate).at_least(PARQUET),
            _ => Figure::plain((*name).to_owned(), "M rows/s", rate).at_least(XLSX),
        });
        report.push(Figure::plain(format!("{name}, processor time"), "ns a row", processor));
        report.push(Figure::plain(format!("{name}, memory over idle"), "MiB", memory).at_most(MEMORY));
    }
    report.memory(&product);
    Ok(report)
}

impl Measured {
    async fn round(&mut self, product: &Product, caller: &Caller, portfolio: &Portfolio) -> Result<Export, Failure> {
        tokio::time::sleep(REST).await;
        let idle = product.memory().ok_or("memory cannot be seen")?.0;
        product.forget_most_memory()?;
        let before = product.processor();
        let (export, taken) = write(caller, portfolio, self.format).await?;
        let processor = product.processor().since(before).product;
        let most = product.memory().ok_or("memory cannot be seen")?.1;
        let rows = export.rows as f64;
        self.rate.push(rows / taken.as_secs_f64() / 1e6);
        self.processor.push(processor * 1e9 / rows);
        self.memory.push(most.saturating_sub(idle) as f64);
        say(&format!("{}: {:.1} s, {idle} MiB before, {most} MiB at most", self.name, taken.as_secs_f64()));
        remove(caller, &export).await?;
        Ok(export)
    }
}

/// Seats of every subscription in every month.
fn order(portfolio: &Portfolio, format: ExportFormat) -> ExportOrder {
    let query = Query {
        measures: vec![Measure::Available.into()],
        group_by: vec![Dimension::Subscription.into()],
        from_month: portfolio.first.to_string(),
        to_month: portfolio.last().to_string(),
        ..Query::default()
    };
    ExportOrder { query: Some(query), format: format.into(), ..ExportOrder::default() }
}

/// Orders a file and waits until it is kept.
async fn write(caller: &Caller, portfolio: &Portfolio, format: ExportFormat) -> Result<(Export, Duration), Failure> {
    let start = Instant::now();
    let request = CreateExportRequest { order: Some(order(portfolio, format)), ..CreateExportRequest::default() };
    let answer = caller.reporting().create_export(caller.request(request)).await?.into_inner();
    let mut export = answer.export.unwrap_or_default();
    while matches!(export.state(), ExportState::Waiting | ExportState::Running) {
        if start.elapsed() > PATIENCE {
            return Err("the export does not end".into());
        }
        tokio::time::sleep(ASK_AGAIN).await;
        let request = caller.request(GetExportRequest { id: export.id });
        export = caller.reporting().get_export(request).await?.into_inner().export.unwrap_or_default();
    }
    let taken = start.elapsed();
    match export.state() {
        ExportState::Done if export.attempts == 1 => Ok((export, taken)),
        _ => Err(format!("the export was not written at once: {export:?}").into()),
    }
}

async fn remove(caller: &Caller, export: &Export) -> Result<(), Failure> {
    caller.reporting().delete_export(caller.request(DeleteExportRequest { id: export.id.clone() })).await?;
    Ok(())
}

/// The rows of the file in a plain table.
struct CopyTo(PgConnection);

impl CopyTo {
    /// Loads the file itself.
    async fn load(url: &str, caller: &Caller, export: &Export) -> Result<Self, Failure> {
        let mut connection = PgConnection::connect(url).await?;
        // Flags as text, for the file has them in words.
        let sql = "CREATE TABLE rows (month text NOT NULL, subscription text NOT NULL, available bigint, source text NOT NULL,
            partial text NOT NULL, lower_bound text NOT NULL, carried text NOT NULL)";
        connection.execute(sql).await?;
        let mut copy = connection.copy_in_raw("COPY rows FROM STDIN (FORMAT csv, HEADER match)").await?;
        let request = caller.request(DownloadExportRequest { id: export.id.clone(), offset: 0 });
        let mut pieces = caller.reporting().download_export(request).await?.into_inner();
        while let Some(piece) = pieces.message().await? {
            copy.send(&piece.data[..]).await?;
        }
        let rows = copy.finish().await?;
        if i64::try_from(rows)? != export.rows {
            return Err(format!("the file has {rows} rows, and {} are said", export.rows).into());
        }
        connection.execute("VACUUM ANALYZE rows").await?;
        Ok(Self(connection))
    }

    /// Writes all rows as CSV, which must be the product's bytes but for the ends of lines.
    async fn run(&mut self, export: &Export) -> Result<Duration, Failure> {
        let start = Instant::now();
        let mut stream = self.0.copy_out_raw("COPY rows TO STDOUT (FORMAT csv, HEADER)").await?;
        let mut bytes = 0;
        while let Some(piece) = stream.try_next().await? {
            bytes += piece.len() as i64;
        }
        let taken = start.elapsed();
        if bytes != export.bytes - export.rows - 1 {
            return Err(format!("COPY wrote {bytes} bytes, the product {}", export.bytes).into());
        }
        Ok(taken)
    }
}
