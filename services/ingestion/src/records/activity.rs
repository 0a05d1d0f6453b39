//! Activity columns. Dictionary entries are checked once, and no fact needs an allocation: a daily feed brings millions.

use std::collections::HashMap;

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::ActivityColumns;

use super::{CheckContext, Violation, checks::Checks};

/// The columns as they came, with every distinct name checked once.
#[derive(Debug, Default)]
pub(crate) struct CheckedActivity {
    pub customers: Vec<String>,
    pub users: Vec<u128>,
    /// Folded.
    pub services: Vec<String>,
    pub columns: FactColumns,
    /// Which of the services' facts are dates of last activity; empty when none are.
    pub lower_bound: Vec<bool>,
    /// Facts that were refused; they are not in `columns`.
    pub wrong: Vec<WrongFact>,
}

/// Good facts, a column each; positions in the dictionaries of [`CheckedActivity`].
#[derive(Debug, Default)]
pub(crate) struct FactColumns {
    pub customer: Vec<u32>,
    pub user: Vec<u32>,
    pub service: Vec<u32>,
    /// Days since 1970-01-01.
    pub day: Vec<i32>,
}

/// A fact that is quarantined.
#[derive(Debug)]
pub(crate) struct WrongFact {
    /// Its position in the columns.
    pub position: usize,
    pub customer: String,
    /// `None` when there is no id to hash.
    pub user: Option<u128>,
    pub service: String,
    pub day: i32,
    /// The day is a date of last activity.
    pub lower_bound: bool,
    pub violations: Vec<Violation>,
}

/// Checks the columns. An error means that they do not fit together, so that no fact can be taken.
pub(crate) fn columns(columns: ActivityColumns, context: &CheckContext<'_>) -> Result<CheckedActivity, Vec<Violation>> {
    let ActivityColumns { customers, users, services, customer, user, service, day, lower_bound } = columns;
    hold_together(&customer, "customer", customers.len(), customer.len())?;
    hold_together(&user, "user", users.len(), customer.len())?;
    hold_together(&service, "service", services.len(), customer.len())?;
    if day.len() != customer.len() {
        return Err(vec![unequal("day", day.len(), customer.len())]);
    }
    let lower_bound = marked(&lower_bound, services.len())?;
    let customers = CheckedDictionary::new(&customers, context, |checks, id| checks.id("customer_id", id));
    let users = CheckedDictionary::new(&users, context, |checks, id| checks.user("user_id", id));
    let services = CheckedDictionary::new(&services, context, |checks, name| checks.service("service", name));
    let dictionaries_are_good = customers.wrong.is_empty() && users.wrong.is_empty() && services.wrong.is_empty();
    let last = context.today.epoch_days();
    let first = Day::from_ymd(1900, 1, 1).map_or(0, Day::epoch_days);
    let days_are_good = day.iter().all(|day| (first..=last).contains(day));
    let columns = FactColumns { customer, user, service, day };
    let mut activity = CheckedActivity::default();
    if dictionaries_are_good && days_are_good {
        activity.columns = columns;
    } else {
        let range = first..=last;
        for position in 0..columns.day.len() {
            let [customer, user, service] =
                [&columns.customer, &columns.user, &columns.service].map(|column| column[position] as usize);
            let day = columns.day[position];
            let mut violations =
                [customers.wrong_with(customer), users.wrong_with(user), services.wrong_with(service)].concat();
            if !range.contains(&day) {
                let reason = format!("must lie from 1900-01-01 to today, {}", context.today);
                violations.push(Violation { field: "activity.day".to_owned(), reason });
            }
            if violations.is_empty() {
                activity.columns.customer.push(columns.customer[position]);
                activity.columns.user.push(columns.user[position]);
                activity.columns.service.push(columns.service[position]);
                activity.columns.day.push(day);
            } else {
                activity.wrong.push(WrongFact {
                    position,
                    customer: customers.values[customer].clone(),
                    user: users.wrong_with(user).is_empty().then_some(users.values[user]),
                    service: services.values[service].clone(),
                    day,
                    lower_bound: lower_bound.get(service).is_some_and(|marked| *marked),
                    violations,
                });
            }
        }
    }
    activity.lower_bound = lower_bound;
    activity.customers = customers.values;
    activity.users = users.values;
    activity.services = services.values;
    Ok(activity)
}

/// A checked dictionary.
struct CheckedDictionary<T> {
    values: Vec<T>,
    /// Violations by position; most entries have none.
    wrong: HashMap<usize, Vec<Violation>>,
}

impl<T> CheckedDictionary<T> {
    fn new(names: &[String], context: &CheckContext<'_>, check: impl Fn(&mut Checks<'_>, &str) -> T) -> Self {
        let mut dictionary = Self { values: Vec::with_capacity(names.len()), wrong: HashMap::new() };
        for (position, name) in names.iter().enumerate() {
            let mut checks = Checks::new("activity", context);
            dictionary.values.push(check(&mut checks, name));
            let violations = checks.into_violations();
            if !violations.is_empty() {
                dictionary.wrong.insert(position, violations);
            }
        }
        dictionary
    }

    fn wrong_with(&self, position: usize) -> &[Violation] {
        self.wrong.get(&position).map_or(&[], Vec::as_slice)
    }
}

fn hold_together(column: &[u32], name: &str, dictionary: usize, length: usize) -> Result<(), Vec<Violation>> {
    if column.len() != length {
        return Err(vec![unequal(name, column.len(), length)]);
    }
    let beyond = column.iter().position(|position| *position as usize >= dictionary);
    beyond.map_or(Ok(()), |position| {
        Err(vec![Violation {
            field: format!("activity.{name}[{position}]"),
            reason: format!("must be a position in `activity.{name}s`, below {dictionary}"),
        }])
    })
}

/// Which services are named; empty when none are.
fn marked(positions: &[u32], services: usize) -> Result<Vec<bool>, Vec<Violation>> {
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let mut marked = vec![false; services];
    for (at, position) in positions.iter().enumerate() {
        let Some(mark) = marked.get_mut(*position as usize) else {
            let field = format!("activity.lower_bound[{at}]");
            let reason = format!("must be a position in `activity.services`, below {services}");
            return Err(vec![Violation { field, reason }]);
        };
        *mark = true;
    }
    Ok(marked)
}

fn unequal(name: &str, length: usize, expected: usize) -> Violation {
    Violation {
        field: format!("activity.{name}"),
        reason: format!("must have as many entries as `activity.customer`, {expected}, not {length}"),
    }
}
