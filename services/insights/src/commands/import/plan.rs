//! Which files are imported, as what, and in which order.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use clap::ValueEnum as _;
use insights_domain::calendar::Day;
use insights_generate::KINDS;
use insights_import::{
    Format, Member, ReadOptions, Recognised, RecordKind, Unrecognised, is_left_behind, members, recognise, with_member,
};

use super::{
    ImportArgs,
    place::{PathHints, place},
};
use crate::{
    client::import::{ImportFile, name},
    failure::Failure,
};

/// Folders within folders.
const DEPTH: usize = 8;

/// What will be imported.
#[derive(Debug, Default)]
pub(super) struct ImportPlan {
    /// The files, in the order in which little has to wait.
    pub(super) sources: Vec<ImportFile>,
    /// Files that are none of ours, and why.
    pub(super) unrecognised: Vec<(String, Unrecognised)>,
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
        if command.replace && !format.is_report() {
            return Err(Failure::Usage(format!("--replace is for raw reports, and {name} is none: leave it out")));
        }
        let mut plan = ImportPlan::default();
        for path in files {
            for file in of_directory(format, path)? {
                self.add_members_of_format(&file, format, &mut plan)?;
            }
        }
        Ok(plan)
    }

    /// The file, or what of it is of the format where several are packed in it.
    fn add_members_of_format(&self, file: &Path, format: Format, plan: &mut ImportPlan) -> Result<(), Failure> {
        let mut opened = fs::File::open(file).map_err(|error| cannot_be_read(file, &error))?;
        let found = match members(&mut opened) {
            Ok(found) => found,
            Err(error) => {
                plan.failures.push(format!("{}: {error}", file.display()));
                return Ok(());
            }
        };
        let several = found.len() > 1;
        let before = plan.sources.len();
        let mut others = Vec::new();
        for member in found {
            let is = match look(&mut opened, file, &member) {
                _ if !several => None,
                Ok(recognised) if recognised.format == format => None,
                Ok(recognised) => Some(format!("it is {}", recognised.format.name())),
                Err(Unrecognised { reason, .. }) => Some(reason),
            };
            match is {
                None => plan.sources.push(self.source(file.to_owned(), member, format, PathHints::default())?),
                Some(reason) => others.push((name(file, &member), Unrecognised { reason, broken: false })),
            }
        }
        if plan.sources.len() == before {
            let why = others.iter().map(|(name, other)| format!("\n  {name}: {}", other.reason)).collect::<String>();
            plan.failures.push(format!("{}: nothing in it is {}{why}", file.display(), format.name()));
        } else {
            plan.unrecognised.extend(others);
        }
        Ok(())
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
                let within = file.strip_prefix(path).ok().filter(|within| !within.as_os_str().is_empty());
                let within = within.unwrap_or_else(|| file.file_name().map_or(&file, Path::new));
                found.extend(self.recognised_in(&file, within, &mut plan)?);
            }
        }
        found.sort_by_key(|(recognised, source)| {
            (rank(recognised.format), stem(source), recognised.day, source.options.made, source.name())
        });
        for (_, source) in found {
            if source.format.needs_customer() && source.options.customer.is_none() {
                plan.failures.push(format!(
                    "{}: {} does not say whose it is: name the customer with --customer, in the file's name, or in a \
                     folder's (its GUID, or customer=ID)",
                    source.name(),
                    source.format.name()
                ));
                continue;
            }
            plan.sources.push(source);
        }
        Ok(plan)
    }

    /// What is recognised of what is packed in a file, or the file itself; what is not goes to the plan.
    fn recognised_in(
        &self,
        file: &Path,
        within: &Path,
        plan: &mut ImportPlan,
    ) -> Result<Vec<(Recognised, ImportFile)>, Failure> {
        let mut opened = fs::File::open(file).map_err(|error| cannot_be_read(file, &error))?;
        let none = |reason: String, broken| (file.display().to_string(), Unrecognised { reason, broken });
        let members = match members(&mut opened) {
            Ok(members) if members.is_empty() => {
                plan.unrecognised.push(none("there are no reports in it".into(), false));
                members
            }
            Ok(members) => members,
            Err(error) => {
                plan.unrecognised.push(none(error.to_string(), true));
                Vec::new()
            }
        };
        let mut found = Vec::new();
        for member in members {
            match look(&mut opened, file, &member) {
                Ok(recognised) => {
                    let place = place(&within.join(member.own_name().unwrap_or_default()));
                    found.push((recognised, self.source(file.to_owned(), member, recognised.format, place)?));
                }
                Err(unrecognised) => plan.unrecognised.push((name(file, &member), unrecognised)),
            }
        }
        Ok(found)
    }

    fn source(&self, file: PathBuf, member: Member, format: Format, place: PathHints) -> Result<ImportFile, Failure> {
        let modified = fs::metadata(&file).and_then(|data| data.modified()).map_err(|it| cannot_be_read(&file, &it))?;
        let modified = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        let command = self.command;
        let customer = command.customer.clone().or(place.customer).filter(|_| format.needs_customer());
        let month = command.month.or(place.month).filter(|_| format.takes_month());
        let day = place.day.filter(|_| format.takes_month());
        let options = ReadOptions {
            customer,
            month,
            made: day.map_or(modified, |day| i64::from(day.epoch_days()) * 86_400),
            own_tenant: self.own_tenant.clone().filter(|_| format.needs_customer()),
            kind: command.kind.filter(|_| is_table(format)),
            named: named(&file, &member).filter(|_| is_table(format)),
            dates: command.dates,
            ..ReadOptions::on(self.today)
        };
        Ok(ImportFile { file, member, format, options })
    }
}

/// Tables of our own records, which hold one kind each.
fn is_table(format: Format) -> bool {
    matches!(format, Format::Csv | Format::Parquet)
}

fn cannot_be_read(path: &Path, error: &io::Error) -> Failure {
    Failure::because(&format!("{} cannot be read", path.display()), error)
}

fn look(opened: &mut fs::File, file: &Path, member: &Member) -> Result<Recognised, Unrecognised> {
    let looked = with_member(opened, member, |input| recognise(input, named(file, member)));
    looked.unwrap_or_else(|error| Err(Unrecognised { reason: error.to_string(), broken: true }))
}

/// The kind of records that a file's own name says.
fn named(file: &Path, member: &Member) -> Option<RecordKind> {
    let within = member.own_name().and_then(|name| RecordKind::of_file_name(Path::new(name)));
    within.or_else(|| RecordKind::of_file_name(file))
}

/// The files at or below a path, without those that programs leave behind.
fn walk(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    let mut within: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    within.retain(|path| path.file_name().is_some_and(|name| !is_left_behind(&name.to_string_lossy())));
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
    let own = source.member.own_name().map_or(source.file.as_path(), Path::new);
    if source.format == Format::Ndjson || is_table(source.format) { kind_rank(own) } else { 0 }
}

fn kind_rank(file: &Path) -> usize {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    // Such as `subscription.ndjson.gz`.
    let stem = stem.split('.').next().unwrap_or_default();
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
