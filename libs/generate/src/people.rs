//! The people of a customer: who comes and goes, who holds which seat, and what they use on which days.

use insights_domain::calendar::{Day, Month};
use insights_import::{ActivityDay, Stopped};
use insights_proto::ingestion::v1::{Assignment, Licensed, record::Kind};

use super::{
    Horizon, Out, catalogue,
    customer::{Profile, Trouble, calendar_month},
    dice::Dice,
    subscriptions::Deal,
};

/// Leaves and joins, a month.
const TURNOVER: f64 = 0.011;

struct Person {
    id: String,
    from: Day,
    /// First day gone.
    to: Option<Day>,
    /// How much this person uses what it holds; some hardly do.
    zeal: f64,
    /// Where the person stands in the queue for each deal, from 0 to 1.
    queue: Vec<f64>,
}

/// Sends the people's seats and days.
pub(super) fn send(
    profile: &Profile,
    deals: &[Deal],
    horizon: Horizon,
    dice: &mut Dice,
    out: &mut Out<'_>,
) -> Result<(), Stopped> {
    let people = draw(profile, deals.len(), horizon, dice);
    for person in &people {
        let holds: Vec<Vec<(Day, Option<Day>)>> =
            deals.iter().enumerate().map(|(at, deal)| holds(person, at, deal, horizon)).collect();
        for (deal, holds) in std::iter::zip(deals, &holds) {
            for (from, to) in holds {
                out.send(Kind::Assignment(Assignment {
                    subscription_id: deal.id.clone(),
                    user_id: person.id.clone(),
                    from_day: from.to_string(),
                    to_day: to.map(|to| to.to_string()),
                }))?;
            }
        }
        send_days(&GeneratedUser { profile, deals, horizon, person, holds: &holds }, dice, out)?;
    }
    if profile.trouble == Some(Trouble::YammerOveruse) {
        send_licences(profile, &people, out)?;
    }
    Ok(())
}

/// A third of an over-using customer's people are licensed by a source that names no subscription.
fn send_licences(profile: &Profile, people: &[Person], out: &mut Out<'_>) -> Result<(), Stopped> {
    for person in people.iter().step_by(3) {
        out.send(Kind::Licensed(Licensed {
            customer_id: profile.id.clone(),
            user_id: person.id.clone(),
            service: "Yammer".into(),
            from_day: person.from.to_string(),
            to_day: person.to.map(|to| to.to_string()),
            listed: false,
        }))?;
    }
    Ok(())
}

fn draw(profile: &Profile, deals: usize, horizon: Horizon, dice: &mut Dice) -> Vec<Person> {
    let Some(&(came, _)) = profile.stays.first() else { return Vec::new() };
    let mut people: Vec<Person> = Vec::new();
    let mut staff: Vec<usize> = Vec::new();
    let mut month = came.month();
    while month <= horizon.last {
        let first = month.first_day().max(came);
        let wanted = profile.people_on(first, horizon).round() as usize;
        let leaving = staff.iter().filter(|_| dice.chance(TURNOVER)).count();
        for _ in 0..leaving.max(staff.len().saturating_sub(wanted)) {
            let gone = staff.swap_remove(dice.below(u32::try_from(staff.len()).unwrap_or(1)) as usize);
            people[gone].to =
                Some(first.plus(dice.days(0, 26))).filter(|day| *day > people[gone].from && *day <= horizon.end);
        }
        while staff.len() < wanted.max(1) {
            let from = if people.len() < wanted { first } else { first.plus(dice.days(0, 26)) };
            if from > horizon.end {
                break;
            }
            staff.push(people.len());
            people.push(person(profile, people.len(), deals, from, dice));
        }
        month = month.plus(1);
    }
    people
}

fn person(profile: &Profile, number: usize, deals: usize, from: Day, dice: &mut Dice) -> Person {
    let (first, last) = (dice.pick(catalogue::FIRST_NAMES), dice.pick(catalogue::LAST_NAMES));
    Person {
        id: format!("{first}.{last}{}@{}", number + 1, profile.domain),
        from,
        to: None,
        zeal: if dice.chance(0.1) { 0.03 } else { dice.between(0.7, 1.1) },
        queue: (0..deals).map(|_| dice.unit()).collect(),
    }
}

/// When the person holds a seat of the deal: while employed, the subscription lives, and there is one for it.
fn holds(person: &Person, at: usize, deal: &Deal, horizon: Horizon) -> Vec<(Day, Option<Day>)> {
    let mut holds: Vec<(Day, Option<Day>)> = Vec::new();
    if person.queue[at] >= deal.share * deal.deployed {
        return holds;
    }
    for (place, state) in deal.states.iter().enumerate() {
        let live = !matches!(state.status, "Deleted" | "Disabled");
        // A trial is tried by a few, however many it would be for.
        if !live || (state.trial && person.queue[at] > 0.3 * deal.share) {
            continue;
        }
        let next = deal.states.get(place + 1).map(|state| state.from);
        let from = state.from.max(person.from);
        let to = [next, person.to].into_iter().flatten().min();
        if from > horizon.end || to.is_some_and(|to| to <= from) {
            continue;
        }
        match holds.last_mut() {
            Some(last) if last.1 == Some(from) => last.1 = to,
            _ => holds.push((from, to)),
        }
    }
    holds
}

/// A person and what it holds, deal by deal.
struct GeneratedUser<'a> {
    profile: &'a Profile,
    deals: &'a [Deal],
    horizon: Horizon,
    person: &'a Person,
    holds: &'a [Vec<(Day, Option<Day>)>],
}

fn send_days(user: &GeneratedUser<'_>, dice: &mut Dice, out: &mut Out<'_>) -> Result<(), Stopped> {
    let last = user.person.to.map_or(user.horizon.end, |to| to.plus(-1));
    let mut month = user.person.from.month();
    while month <= last.month() {
        let span = (month.first_day().max(user.person.from), user.horizon.last_day(month).min(last));
        for (service, from, to) in services(user, span) {
            let probability = catalogue::appeal(service) * mood(user, month);
            if dice.chance(probability) {
                for day in workdays((from, to), 1 + dice.below(3), dice) {
                    out.activity(ActivityDay {
                        customer_id: user.profile.id.clone(),
                        user_id: user.person.id.clone(),
                        service: service.into(),
                        day,
                        lower_bound: false,
                    })?;
                }
            }
        }
        if overuses(user, span.0) && dice.chance(0.8) {
            for day in workdays(span, 2, dice) {
                out.activity(ActivityDay {
                    customer_id: user.profile.id.clone(),
                    user_id: user.person.id.clone(),
                    service: "Yammer".into(),
                    day,
                    lower_bound: false,
                })?;
            }
        }
        month = month.plus(1);
    }
    Ok(())
}

/// Uses Yammer whether licensed or not: everybody at some customers, a few anywhere.
fn overuses(user: &GeneratedUser<'_>, day: Day) -> bool {
    let share = if user.profile.trouble == Some(Trouble::YammerOveruse) { 1.0 } else { 0.01 };
    user.profile.here(day) && user.person.queue.first().is_some_and(|place| 1.0 - place <= share)
}

/// The services the person can use within the span, each once, with the days it can.
fn services<'a>(user: &GeneratedUser<'a>, (first, last): (Day, Day)) -> Vec<(&'a str, Day, Day)> {
    let mut services: Vec<(&str, Day, Day)> = Vec::new();
    for (deal, holds) in std::iter::zip(user.deals, user.holds) {
        for (from, to) in holds {
            let from = first.max(*from);
            let to = to.map_or(last, |to| last.min(to.plus(-1)));
            if from > to || !deal.state_on(to).is_some_and(super::subscriptions::DealState::usable) {
                continue;
            }
            for service in deal.product.services {
                if !services.iter().any(|(known, ..)| known == service) {
                    services.push((service, from, to));
                }
            }
        }
    }
    services
}

fn mood(user: &GeneratedUser<'_>, month: Month) -> f64 {
    let left = f64::from(user.horizon.last.index() - month.index());
    let fading = if user.profile.trouble == Some(Trouble::Fading) { (0.15 + left * 0.11).min(1.0) } else { 1.0 };
    // People need a few months to take to something new.
    let tenure = f64::from(month.index() - user.person.from.month().index());
    let ramp = if user.person.from > user.horizon.start() { (0.7 + 0.1 * tenure).min(1.0) } else { 1.0 };
    user.person.zeal * user.profile.engagement * catalogue::season(calendar_month(month)) * fading * ramp
}

/// Some working days of a span, each once.
fn workdays((first, last): (Day, Day), count: u32, dice: &mut Dice) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for _ in 0..count {
        let mut day = first.plus(dice.days(0, last.epoch_days() - first.epoch_days()));
        // 1970-01-01 was a Thursday: 2 and 3 are Saturday and Sunday. Few work then.
        if matches!(day.epoch_days().rem_euclid(7), 2 | 3) && !dice.chance(0.1) {
            day = day.plus(-2).max(first);
        }
        if !days.contains(&day) {
            days.push(day);
        }
    }
    days
}
