//! Who a customer is, how long it stays, and what is known about it by month.

use insights_domain::calendar::{Day, Month};
use insights_import::Stopped;
use insights_proto::ingestion::v1::{Customer, ReportedSeats, Revenue, SupportCases, record::Kind};

use super::{
    Horizon, Out, catalogue,
    dice::Dice,
    people,
    subscriptions::{self, Deal, DealSeller},
};

/// What there is to find at a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Seats bought and never given out.
    Undeployed,
    /// Seats given out and hardly used.
    Idle,
    /// Use goes down month by month.
    Fading,
    /// A second subscription of the same SKU sits in grace, and people use both.
    DoubleInGrace,
    /// More people than seats.
    OverAssigned,
    /// Asks how to do things.
    Confused,
    /// Everybody is on Yammer, licensed or not.
    YammerOveruse,
}

// House: one field for each thing drawn of a customer.
/// A customer before anything happens to it.
pub(super) struct Profile {
    index: u32,
    pub(super) id: String,
    name: String,
    pub(super) domain: String,
    country: &'static str,
    pub(super) office: usize,
    segment: Option<&'static str>,
    industry: &'static str,
    /// People at the beginning.
    pub(super) people: f64,
    /// Growth of people a year.
    pub(super) growth: f64,
    pub(super) trouble: Option<Trouble>,
    /// How much its people use what they hold.
    pub(super) engagement: f64,
    /// When it is a customer: from, until (not including).
    pub(super) stays: Vec<(Day, Option<Day>)>,
}

impl Profile {
    pub(super) fn draw(index: u32, horizon: Horizon, dice: &mut Dice) -> Self {
        let trouble = match index % 40 {
            3 => Some(Trouble::Undeployed),
            9 => Some(Trouble::Idle),
            15 => Some(Trouble::Fading),
            21 => Some(Trouble::DoubleInGrace),
            27 => Some(Trouble::OverAssigned),
            33 => Some(Trouble::Confused),
            38 => Some(Trouble::YammerOveruse),
            _ => None,
        };
        let large = index % 170 == 7;
        let drawn = (10_f64.ln() + 1.15 * dice.normal()).exp();
        let people = match (large, trouble) {
            (true, _) => dice.between(400.0, 1300.0),
            (_, Some(_)) => drawn.max(18.0),
            _ => drawn.clamp(1.0, 350.0),
        };
        let (country, office) = dice.weighted(catalogue::COUNTRIES);
        let segment = match people {
            _ if dice.chance(0.04) => None,
            p if p < 25.0 => Some("Small Business"),
            p if p < 250.0 => Some("Corporate"),
            _ => Some("Enterprise"),
        };
        let name = format!("{} {}", dice.pick(catalogue::FIRST_WORDS), dice.pick(catalogue::SECOND_WORDS));
        let host = name.to_lowercase().replace(' ', "-");
        Self {
            index,
            id: format!("C-{:05}", index + 1),
            name,
            domain: format!("{host}-{}.example", index + 1),
            country,
            office,
            segment,
            industry: dice.weighted(catalogue::INDUSTRIES),
            people,
            growth: 0.07 + 0.14 * dice.normal(),
            trouble,
            engagement: if trouble == Some(Trouble::Idle) { 0.22 } else { dice.between(0.75, 1.05) },
            stays: stays(people, trouble, horizon, dice),
        }
    }

    fn record(&self) -> Customer {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Customer {
            customer_id: self.id.clone(),
            name: Some(self.name.clone()),
            country: given(self.country),
            tenant_country: given(self.country),
            segment: self.segment.map(str::to_owned),
            industry: given(self.industry),
            domain: Some(self.domain.clone()),
        }
    }

    pub(super) fn here(&self, day: Day) -> bool {
        self.stays.iter().any(|(from, to)| *from <= day && to.is_none_or(|to| day < to))
    }
}

/// When the customer comes, leaves and perhaps comes back. Six in ten are there from the beginning.
fn stays(people: f64, trouble: Option<Trouble>, horizon: Horizon, dice: &mut Dice) -> Vec<(Day, Option<Day>)> {
    let mut from = horizon.start();
    if !dice.chance(0.6) {
        let months: Vec<(Month, u32)> = horizon
            .months()
            .enumerate()
            .map(|(at, month)| {
                (month, weight(catalogue::sales_season(calendar_month(month)) * (1.0 + 0.02 * at as f64)))
            })
            .collect();
        from = dice.weighted(&months).first_day().plus(dice.days(0, 27)).min(horizon.end);
    }
    let hazard = 0.009
        * if people < 12.0 {
            1.5
        } else if people > 150.0 {
            0.25
        } else {
            1.0
        };
    let mut stays = Vec::new();
    while let Some(left) = leaving(from, hazard, horizon, dice).filter(|_| trouble.is_none()) {
        stays.push((from, Some(left)));
        from = left.plus(dice.days(70, 200));
        if !dice.chance(0.3) || from > horizon.end {
            return stays;
        }
    }
    stays.push((from, None));
    stays
}

fn leaving(from: Day, hazard: f64, horizon: Horizon, dice: &mut Dice) -> Option<Day> {
    let mut month = from.month().plus(3);
    while month <= horizon.last {
        let pressed = if matches!(calendar_month(month), 1 | 6) { 1.6 } else { 1.0 };
        if dice.chance(hazard * pressed) {
            return Some(month.first_day().plus(dice.days(0, 27))).filter(|day| *day <= horizon.end);
        }
        month = month.plus(1);
    }
    None
}

fn weight(value: f64) -> u32 {
    (value * 1000.0) as u32
}

/// 1 for January.
pub(super) fn calendar_month(month: Month) -> u32 {
    month.index().rem_euclid(12).unsigned_abs() + 1
}

/// Sends everything about one customer.
pub(super) fn send(profile: &Profile, horizon: Horizon, dice: &mut Dice, out: &mut Out<'_>) -> Result<(), Stopped> {
    out.send(Kind::Customer(profile.record()))?;
    let deals = subscriptions::draw(profile, horizon, dice);
    for deal in &deals {
        subscriptions::send(profile, deal, out)?;
    }
    people::send(profile, &deals, horizon, dice, out)?;
    send_revenue(profile, &deals, horizon, dice, out)?;
    send_support_cases(profile, horizon, dice, out)?;
    if profile.index % 12 == 5 {
        send_bought_elsewhere(profile, horizon, dice, out)?;
    }
    Ok(())
}

fn send_revenue(
    profile: &Profile,
    deals: &[Deal],
    horizon: Horizon,
    dice: &mut Dice,
    out: &mut Out<'_>,
) -> Result<(), Stopped> {
    let office = &catalogue::LOCATIONS[profile.office];
    for deal in deals.iter().filter(|deal| deal.seller == DealSeller::Own && !deal.product.free) {
        let consumption = dice.between(80.0, 900.0);
        for month in horizon.months() {
            let Some(state) = deal.state_on(horizon.last_day(month)).filter(|state| state.paid()) else { continue };
            let list = if deal.product.id == catalogue::AZURE {
                consumption * dice.between(0.85, 1.2)
            } else {
                deal.product.price * f64::from(state.seats)
            };
            // Now and then a month is credited.
            let credit = if dice.chance(0.004) { -0.4 } else { 1.0 };
            let cents = (list * credit * office.rate * 100.0).round() as i64;
            out.send(Kind::Revenue(Revenue {
                subscription_id: Some(deal.id.clone()),
                month: month.to_string(),
                amount: format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100),
                currency: office.currency.into(),
                ..Revenue::default()
            }))?;
        }
    }
    Ok(())
}

fn send_support_cases(profile: &Profile, horizon: Horizon, dice: &mut Dice, out: &mut Out<'_>) -> Result<(), Stopped> {
    let confused = profile.trouble == Some(Trouble::Confused);
    let mean = if confused { 3.0 + profile.people * 0.12 } else { 0.15 + profile.people * 0.008 };
    for month in horizon.months().filter(|month| profile.here(month.first_day())) {
        let total = dice.poisson(mean);
        if total > 0 {
            let share = if confused { 0.85 } else { 0.3 };
            let how_to = (0..total).filter(|_| dice.chance(share)).count();
            out.send(Kind::SupportCases(SupportCases {
                customer_id: profile.id.clone(),
                month: month.to_string(),
                total: Some(total),
                how_to: i64::try_from(how_to).ok(),
            }))?;
        }
    }
    Ok(())
}

/// What the customer bought from somebody else, as monthly rows by customer and SKU.
fn send_bought_elsewhere(
    profile: &Profile,
    horizon: Horizon,
    dice: &mut Dice,
    out: &mut Out<'_>,
) -> Result<(), Stopped> {
    let seats = (profile.people * dice.between(0.05, 0.3)).ceil() as i64;
    let (assigned, active) = (dice.between(0.5, 1.0), dice.between(0.3, 0.9));
    for month in horizon.months().filter(|month| profile.here(horizon.last_day(*month))) {
        let assigned = (seats as f64 * assigned).round() as i64;
        out.send(Kind::ReportedSeats(ReportedSeats {
            customer_id: Some(profile.id.clone()),
            sku_id: Some(catalogue::VISIO.into()),
            month: month.to_string(),
            available: Some(seats),
            assigned: Some(assigned),
            active: Some((assigned as f64 * active * catalogue::season(calendar_month(month))).round() as i64),
            seller: Some("other".into()),
            ..ReportedSeats::default()
        }))?;
    }
    Ok(())
}
