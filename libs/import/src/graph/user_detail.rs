//! getOffice365ActiveUserDetail of Microsoft Graph: per user which services are licensed and when each was used last.
//!
//! The services are found in the names of the columns, so that a newer file's are read as well.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::BufRead,
};

use insights_domain::{calendar::Day, ids::names_no_user};
use insights_proto::ingestion::v1::{CompleteThrough, LicenceList, Licensed, Record, record::Kind};
use prost_types::Timestamp;

use crate::product_names::services::service_of_workload;
use crate::reader::{AHEAD, ActivityDay, DateOrder, Mending, Notes, ReadError, ReadOptions, Rejection, Sink, Stopped};
use crate::shared::provisional::bare_customer;
use crate::text::dates::{self, Dated};
use crate::text::table::{Row, Table, TableColumn, normalised, there_twice};
use crate::text::values;

#[derive(Clone, Copy, PartialEq, Eq)]
enum UserDetailColumn {
    Refreshed,
    User,
    Deleted,
    DeletedDate,
    Period,
}

const COLUMNS: &[TableColumn<UserDetailColumn>] = &[
    TableColumn { key: UserDetailColumn::Refreshed, names: &["Report Refresh Date"], required: true },
    TableColumn { key: UserDetailColumn::User, names: &["User Principal Name", "User Id"], required: true },
    TableColumn { key: UserDetailColumn::Deleted, names: &["Is Deleted"], required: false },
    TableColumn { key: UserDetailColumn::DeletedDate, names: &["Deleted Date"], required: false },
    TableColumn { key: UserDetailColumn::Period, names: &["Report Period"], required: false },
];

const IGNORED: &[&str] = &["Display Name", "Assigned Products"];

const LOWER_BOUND: &str = "the file has the last day of use only: active users of days before its refresh date are a \
    lower bound";
const CONCEALED: &str = "user names are concealed in the file: the same users under their own names in other files are \
    counted besides";

const NOT_ENDED: &str = "rows were rejected, so nobody's licence is taken for ended because the file lacks it";

const OF_ONE_DAY: &str = "everybody in the file was active on one day, as in the report of a date (date=…), which leaves out all who \
    were idle then: nobody's licence is taken for ended because the file lacks it; the report of a period (period='D30') lists everybody";
/// The periods of reports, in days.
const PERIODS: [&str; 4] = ["7", "30", "90", "180"];

/// Where the file says what about a service.
#[derive(Clone, Debug, Default)]
struct Places {
    licensed: Option<usize>,
    used: Option<usize>,
    assigned: Option<usize>,
}

/// The columns of each service; several where services are counted as one.
type Services = BTreeMap<String, Vec<Places>>;

/// Reads the users of a customer.
pub(crate) fn read(input: &mut dyn BufRead, options: &ReadOptions, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let customer = options.customer()?;
    let mut table = Table::open(input, COLUMNS, IGNORED)?;
    let mut notes = Notes::default();
    let services = services(&table, &mut notes)?;
    let mut days: BTreeMap<Day, UsersSeen> = BTreeMap::new();
    let mut rejected = false;
    let mut nameless = NamelessUsers::default();
    let mut stub = Some(bare_customer(&customer, options.made));
    while let Some(found) = table.next_row()? {
        let parsed = found.and_then(|row| {
            DetailRow { table: &table, row: &row, dates: options.dates, notes: &mut notes }.user(&services)
        });
        match parsed {
            Err(rejection) => {
                rejected = true;
                sink.rejected(rejection)?;
            }
            Ok(mut user) => {
                if names_no_user(&user.id) {
                    notes.mended(user.line, table.name(UserDetailColumn::User), Mending::Nameless);
                    user.id = nameless.id(&user);
                }
                if let Some(stub) = stub.take() {
                    sink.stub(user.line, stub)?;
                }
                if is_concealed(&user.id) {
                    notes.remarks.insert(CONCEALED);
                }
                if options.lies_ahead(user.refreshed) {
                    notes.remarks.insert(AHEAD);
                }
                days.entry(user.refreshed).or_default().see(&user);
                user.send(&customer, sink)?;
            }
        }
    }
    table.noted(&mut notes);
    let everybody = days.iter().filter(|(day, seen)| !seen.is_of_one_day(**day)).map(|(day, _)| *day);
    let everybody: BTreeSet<Day> = everybody.collect();
    if everybody.len() < days.len() {
        notes.remarks.insert(OF_ONE_DAY);
    }
    if rejected && !days.is_empty() {
        notes.remarks.insert(NOT_ENDED);
    } else if !options.cut_short {
        complete(&customer, &services, everybody.range(..=options.today), sink)?;
    }
    if let Some((day, _)) = days.last_key_value() {
        notes.remarks.insert(LOWER_BOUND);
        let day = (*day).min(options.today).to_string();
        sink.record(1, Record { kind: Some(Kind::CompleteThrough(CompleteThrough { day })), ..Record::default() })?;
    }
    Ok(notes)
}

/// What tells the report of a period, which lists everybody with a licence, from that of a date, which lists who was active on it.
#[derive(Default)]
struct UsersSeen {
    users: usize,
    /// The file says that it is about a period.
    period: bool,
    /// Days on which all users so far were active.
    active: BTreeSet<Day>,
}

impl UsersSeen {
    fn see(&mut self, user: &DetailUser) {
        let used: BTreeSet<Day> = user.services.iter().flat_map(|one| &one.used).copied().collect();
        self.active = if self.users == 0 { used } else { self.active.intersection(&used).copied().collect() };
        self.users += 1;
        self.period |= user.period;
    }

    /// One user alone may well have been active on another day than that of the report.
    fn is_of_one_day(&self, refreshed: Day) -> bool {
        !self.period && (self.active.contains(&refreshed) || self.users > 1 && !self.active.is_empty())
    }
}

/// Says that the file has everybody who was licensed on its days. Last, so that a file that breaks off ends nothing.
fn complete<'d>(
    customer: &str,
    services: &Services,
    days: impl Iterator<Item = &'d Day>,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    for day in days {
        let licensed = services.iter().filter(|(_, all)| all.iter().any(|places| places.licensed.is_some()));
        for (service, _) in licensed {
            let (customer_id, service, day) = (customer.to_owned(), service.clone(), day.to_string());
            let kind = Some(Kind::LicenceList(LicenceList { customer_id, service, day }));
            sink.record(1, Record { kind, ..Record::default() })?;
        }
    }
    Ok(())
}

/// The beginning of a day.
pub(crate) fn start_of(day: Day) -> Timestamp {
    Timestamp { seconds: i64::from(day.epoch_days()) * 86_400, nanos: 0 }
}

/// 32 hexadecimal digits stand where a name was expected when the tenant conceals names.
fn is_concealed(user: &str) -> bool {
    user.len() == 32 && user.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Users without names, each of whom gets a name of its own: what the file knows of them from one report to the next (since when
/// they are licensed), and which of those of whom it knows the same.
#[derive(Default)]
struct NamelessUsers(HashMap<(Day, String), u32>);

impl NamelessUsers {
    fn id(&mut self, user: &DetailUser) -> String {
        let since = |one: &Use| one.since().map_or_else(String::new, |day| day.epoch_days().to_string());
        let since = user.services.iter().map(since).collect::<Vec<_>>().join(".");
        let number = self.0.entry((user.refreshed, since.clone())).or_default();
        *number += 1;
        format!("(unknown) {since} {number}")
    }
}

/// What a column says about a service.
#[derive(Clone, Copy)]
enum ColumnPart {
    Licensed,
    Used,
    Assigned,
}

/// What a column says, and about which service, by its normalised name.
fn part(name: &str) -> Option<(ColumnPart, String)> {
    let licensed = name.strip_prefix("has").and_then(|name| name.strip_suffix("license"));
    let found = licensed.map(|service| (ColumnPart::Licensed, service));
    let found = found.or_else(|| name.strip_suffix("lastactivitydate").map(|service| (ColumnPart::Used, service)));
    let found = found.or_else(|| name.strip_suffix("licenseassigndate").map(|service| (ColumnPart::Assigned, service)));
    found.filter(|(_, service)| !service.is_empty()).map(|(part, service)| (part, service.to_owned()))
}

impl ColumnPart {
    /// The service as the column's name spells it.
    fn service(self, column: &str) -> String {
        let words: Vec<&str> = column.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let (before, after) = if matches!(self, Self::Licensed) { (1, 1) } else { (0, 3) };
        let end = words.len().saturating_sub(after);
        words.get(before..end).filter(|words| !words.is_empty()).map_or_else(|| column.trim().into(), |it| it.join(" "))
    }
}

fn services(table: &Table<'_, UserDetailColumn>, notes: &mut Notes) -> Result<Services, ReadError> {
    let mut by_name: BTreeMap<String, (String, Places)> = BTreeMap::new();
    for (place, spelled) in table.header.iter().enumerate() {
        let Some((part, name)) = part(&normalised(spelled)) else { continue };
        let places = &mut by_name.entry(name).or_insert_with(|| (part.service(spelled), Places::default())).1;
        let found = match part {
            ColumnPart::Licensed => &mut places.licensed,
            ColumnPart::Used => &mut places.used,
            ColumnPart::Assigned => &mut places.assigned,
        };
        if found.replace(place).is_some() {
            return Err(ReadError::Refused(there_twice(spelled)));
        }
    }
    by_name.retain(|_, (_, places)| places.licensed.is_some() || places.used.is_some());
    if by_name.is_empty() {
        return Err(ReadError::Refused(
            "the file lacks the required column Has Exchange License (or another service's)".into(),
        ));
    }
    let known = |name: &str| part(name).is_some_and(|(_, service)| by_name.contains_key(&service));
    notes.unknown_columns = table.unknown.iter().filter(|column| !known(&normalised(column))).cloned().collect();
    let mut services = Services::new();
    for (name, (spelled, places)) in by_name {
        let service = service_of_workload(&name).map(str::to_owned).unwrap_or_else(|| {
            notes.unmapped_service(&spelled);
            spelled
        });
        services.entry(service).or_default().push(places);
    }
    Ok(services)
}

/// What a row says about a user.
struct DetailUser {
    line: u64,
    id: String,
    refreshed: Day,
    /// The report is about a period.
    period: bool,
    services: Vec<Use>,
}

/// What a row says about a user and a service.
struct Use {
    service: String,
    /// Since when, as far as the file says; none: not licensed.
    licensed: Option<Option<Day>>,
    /// Of a licence that is gone: when it was given and the first day without.
    lost: Option<(Option<Day>, Day)>,
    used: Vec<Day>,
}

impl Use {
    /// Since when it is or was licensed, as far as the file says.
    fn since(&self) -> Option<Day> {
        self.licensed.unwrap_or_else(|| self.lost.and_then(|(since, _)| since))
    }
}

/// A row that is read.
struct DetailRow<'a, 't> {
    table: &'a Table<'t, UserDetailColumn>,
    row: &'a Row,
    dates: Option<DateOrder>,
    notes: &'a mut Notes,
}

impl DetailRow<'_, '_> {
    fn reject(&self, field: &str, reason: String) -> Rejection {
        Rejection { row: self.row.line, field: field.into(), reason }
    }

    /// A date that says whether a user counts as active; without it the row would say less than it knows.
    fn used(&mut self, place: Option<usize>) -> Result<Option<Day>, Rejection> {
        let Some((place, read)) = self.date(place) else { return Ok(None) };
        let field = self.table.header[place].trim();
        match read.map_err(|reason| self.reject(field, reason))? {
            Dated::On(day) => Ok(Some(day)),
            Dated::Never => {
                self.notes.mended(self.row.line, field, Mending::NoDay);
                Ok(None)
            }
        }
    }

    /// A date that the row can do without.
    fn optional(&mut self, place: Option<usize>) -> Option<Day> {
        let (place, read) = self.date(place)?;
        let mending = match read {
            Ok(Dated::On(day)) => return Some(day),
            Ok(Dated::Never) => Mending::NoDay,
            Err(_) => Mending::DateLeftOut,
        };
        self.notes.mended(self.row.line, self.table.header[place].trim(), mending);
        None
    }

    fn date(&self, place: Option<usize>) -> Option<(usize, Result<Dated, values::ValueFault>)> {
        let place = place.filter(|place| Table::<UserDetailColumn>::text_at(self.row, *place).is_some())?;
        Some((place, dates::date(Table::<UserDetailColumn>::raw_at(self.row, place), self.dates)))
    }

    fn user(mut self, services: &Services) -> Result<DetailUser, Rejection> {
        let (table, row) = (self.table, self.row);
        let refreshed = dates::day(table.raw(row, UserDetailColumn::Refreshed), self.dates)
            .map_err(|reason| self.reject(table.name(UserDetailColumn::Refreshed), reason))?;
        let id = table
            .text(row, UserDetailColumn::User)
            .ok_or_else(|| self.reject(table.name(UserDetailColumn::User), "is missing".into()))?;
        let deleted = table.text(row, UserDetailColumn::Deleted).and_then(values::yes_or_no).unwrap_or(false);
        let gone = table.place(UserDetailColumn::DeletedDate).filter(|_| deleted);
        let gone = self.optional(gone).unwrap_or(refreshed).min(refreshed);
        let mut uses = Vec::with_capacity(services.len());
        for (service, all) in services {
            let mut one = Use { service: service.clone(), licensed: None, lost: None, used: Vec::new() };
            for places in all {
                one.used.extend(self.used(places.used)?);
                let assigned = self.optional(places.assigned);
                let Some(place) = places.licensed else { continue };
                let word = Table::<UserDetailColumn>::text_at(row, place);
                let has = word.map_or(Some(false), values::yes_or_no);
                let has =
                    has.ok_or_else(|| self.reject(table.header[place].trim(), "is neither True nor False".into()))?;
                if has && !deleted {
                    let since = one.licensed.flatten().into_iter().chain(assigned).min();
                    one.licensed = Some(since);
                } else {
                    let before = one.lost.and_then(|(since, _)| since);
                    one.lost = Some((before.into_iter().chain(assigned).min(), gone));
                }
            }
            one.used.sort_unstable();
            one.used.dedup();
            uses.push(one);
        }
        let period = table.text(row, UserDetailColumn::Period);
        let period = period.is_some_and(|text| PERIODS.contains(&text.trim_start_matches(['D', 'd'])));
        Ok(DetailUser { line: row.line, id: id.to_owned(), refreshed, period, services: uses })
    }
}

impl DetailUser {
    fn send(self, customer: &str, sink: &mut dyn Sink) -> Result<(), Stopped> {
        let Self { line, id, refreshed, services, .. } = self;
        for Use { service, licensed, lost, used } in services {
            let licence = |from: Day, to: Option<Day>| {
                let licensed = Licensed {
                    customer_id: customer.to_owned(),
                    user_id: id.clone(),
                    service: service.clone(),
                    from_day: from.to_string(),
                    to_day: to.map(|day| day.to_string()),
                    listed: true,
                };
                // What a later file says of the same licence wins, in whatever order they are imported.
                Record {
                    recorded_at: Some(start_of(refreshed)),
                    kind: Some(Kind::Licensed(licensed)),
                    ..Record::default()
                }
            };
            match (licensed, lost) {
                (Some(since), _) => sink.record(line, licence(since.unwrap_or(refreshed).min(refreshed), None))?,
                (None, Some((since, gone))) => {
                    if let Some(since) = since.filter(|since| *since < gone) {
                        sink.record(line, licence(since, Some(gone)))?;
                    }
                }
                (None, None) => {}
            }
            for day in used {
                let (customer_id, user_id) = (customer.to_owned(), id.clone());
                let service = service.clone();
                sink.activity(line, ActivityDay { customer_id, user_id, service, day, lower_bound: true })?;
            }
        }
        Ok(())
    }
}
