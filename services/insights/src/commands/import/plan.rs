//! Which files are imported, as what, and in which order.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use clap::ValueEnum as _;
use insights_domain::calendar::Day;
use insights_generate::KINDS;
use insights_import::{Format, ReadOptions, Recognised, RecordKind, recognise};

use super::{
    ImportArgs,
    place::{PathHints, place},
};
use crate::{client::import::ImportFile, failure::Failure};

/// Folders within folders.
const DEPTH: usize = 8;

/// What will be imported.
#[derive(Debug, Default)]
pub(super) struct ImportPlan {
    /// The files, in the order in which little has to wait.
    pub(super) sources: Vec<ImportFile>,
    /// Files that are none of ours, and why.
    pub(super) unrecognised: Vec<(PathBuf, &'static str)>,
    /// Files that cannot be imported, and why.
    pub(super) failures: Vec<String>,
    /// Whether the files were looked at to find out what they are.
    pub(super) found_out: bool,
}

/// What the command line says, with what only the server knows.
pub(super) struct Said<'a> {
    pub(super) command: &'a ImportArgs,
    pub(super) today: Day,
    pub(super) own_tenant: Option<String>,
}

impl Said<'_> {
    /// The plan. The first word is the format where it is the name of one.
    pub(super) fn plan(&self) -> Result<ImportPlan, Failure> {
        let given = &self.command.given;
        let named = given.first().and_then(|word| Format::from_str(word.to_str()?, false).ok());
        match named {
            Some(format) if given.len() > 1 => self.of_format(format, &given[1..]),
            Some(format) if !given[0].exists() => {
                Err(Failure::Usage(format!("name the files of {} to import", format.name())))
            }
            _ => self.of_whatever(given),
        }
    }

    fn of_format(&self, format: Format, files: &[PathBuf]) -> Result<ImportPlan, Failure> {
        let (name, command) = (format.name(), self.command);
        if command.kind.is_some() && !is_table(format) {
            return Err(Failure::Usage(format!(
                "the files of {name} say themselves what is in them: leave --kind out"
            )));
        }
        if command.customer.is_some() && !format.needs_customer() || command.month.is_some() && !format.takes_month() {
            let flag = if format.needs_customer() { "--month" } else { "--customer and --month" };
            let what = if format.needs_customer() { "days" } else { "customers and months" };
            return Err(Failure::Usage(format!("the files of {name} name {what} themselves: leave {flag} out")));
        }
        if command.customer.is_none() && format.needs_customer() {
            return Err(Failure::Usage(format!("the files of {name} do not say whose they are: --customer does")));
        }
        let mut plan = ImportPlan::default();
        for path in files {
            for file in of_directory(format, path)? {
                plan.sources.push(self.source(file, format, PathHints::default())?);
            }
        }
        Ok(plan)
    }

    /// Files and folders that are looked at to find out what they are.
    fn of_whatever(&self, given: &[PathBuf]) -> Result<ImportPlan, Failure> {
        let mut plan = ImportPlan { found_out: true, ..ImportPlan::default() };
        let mut found = Vec::new();
        if let Some(missing) = given.iter().find(|path| !path.exists()) {
            let missing = missing.display();
            return Err(Failure::Usage(format!("{missing} is neither a file or folder nor a format (see --help)")));
        }
        for path in given {
            let mut files = Vec::new();
            walk(path, DEPTH, &mut files).map_err(|error| cannot_be_read(path, &error))?;
            for file in files {
                let within = file.strip_prefix(path).map(Path::to_owned).unwrap_or_default();
                let named = RecordKind::of_file_name(&file);
                match look(&file, named).map_err(|error| cannot_be_read(&file, &error))? {
                    Ok(recognised) => found.push((recognised, self.source(file, recognised.format, place(&within))?)),
                    Err(reason) => plan.unrecognised.push((file, reason)),
                }
            }
        }
        found.sort_by_key(|(recognised, source)| {
            (rank(recognised.format), stem(source), recognised.day, source.options.made, source.file.clone())
        });
        for (_, source) in found {
            if source.format.needs_customer() && source.options.customer.is_none() {
                plan.failures.push(format!(
                    "{}: {} does not say whose it is: name the customer with --customer, in the file's name, or in a \
                     folder's (its GUID, or customer=ID)",
                    source.file.display(),
                    source.format.name()
                ));
                continue;
            }
            plan.sources.push(source);
        }
        Ok(plan)
    }

    fn source(&self, file: PathBuf, format: Format, place: PathHints) -> Result<ImportFile, Failure> {
        let modified = fs::metadata(&file).and_then(|data| data.modified()).map_err(|it| cannot_be_read(&file, &it))?;
        let modified = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        let command = self.command;
        let customer = command.customer.clone().or(place.customer).filter(|_| format.needs_customer());
        let month = command.month.or(place.month).filter(|_| format.takes_month());
        let day = place.day.filter(|_| format.takes_month());
        let options = ReadOptions {
            today: self.today,
            customer,
            month,
            made: day.map_or(modified, |day| i64::from(day.epoch_days()) * 86_400),
            own_tenant: self.own_tenant.clone().filter(|_| format.needs_customer()),
            kind: command.kind.filter(|_| is_table(format)),
            named: RecordKind::of_file_name(&file).filter(|_| is_table(format)),
            dates: command.dates,
        };
        Ok(ImportFile { file, format, options })
    }
}

/// Tables of our own records, which hold one kind each.
fn is_table(format: Format) -> bool {
    matches!(format, Format::Csv | Format::Parquet)
}

fn cannot_be_read(path: &Path, error: &io::Error) -> Failure {
    Failure::because(&format!("{} cannot be read", path.display()), error)
}

fn look(file: &Path, named: Option<RecordKind>) -> io::Result<Result<Recognised, &'static str>> {
    recognise(&mut io::BufReader::new(fs::File::open(file)?), named)
}

/// The files at or below a path, without hidden ones.
fn walk(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    let mut within: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    within.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    within.sort();
    within.iter().try_for_each(|path| walk(path, depth - 1, files))
}

/// Catalogue, customers, subscriptions, then the rest; what knows less before what knows more. Own records rank alike in all formats.
const fn rank(format: Format) -> usize {
    match format {
        Format::ProductNames => 0,
        Format::Ndjson | Format::Csv | Format::Parquet => 1,
        Format::PcCustomers => 2,
        Format::InsightsCustomers => 3,
        Format::InsightsSubscriptions => 4,
        Format::PcSubscriptions => 5,
        Format::GraphSubscriptions => 6,
        Format::InsightsDynamicsUsage => 7,
        Format::InsightsOfficeUsage => 8,
        Format::PcSubscribedSkus => 9,
        Format::GraphSubscribedSkus => 10,
        Format::GraphUserDetail => 11,
    }
}

/// Of our own records, those others refer to come first.
fn stem(source: &ImportFile) -> usize {
    if source.format == Format::Ndjson || is_table(source.format) { kind_rank(&source.file) } else { 0 }
}

fn kind_rank(file: &Path) -> usize {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    KINDS.iter().position(|kind| *kind == stem).unwrap_or(KINDS.len())
}

/// A directory stands for its files of records, in an order in which little has to wait.
fn of_directory(format: Format, path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !fs::metadata(path).map_err(|error| cannot_be_read(path, &error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    if format != Format::Ndjson {
        let path = path.display();
        return Err(Failure::Usage(format!("{path} is a directory: leave the format out to import what is in it")));
    }
    let mut files = Vec::new();
    walk(path, 1 + 1, &mut files).map_err(|error| cannot_be_read(path, &error))?;
    files.retain(|file| file.parent() == Some(path) && file.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort_by_key(|file| (kind_rank(file), file.clone()));
    Ok(files)
}
