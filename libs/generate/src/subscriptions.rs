//! What a customer buys, and what becomes of it: trials, renewals, missed payments, the end.

use insights_domain::calendar::Day;
use insights_import::Stopped;
use insights_proto::ingestion::v1::{Attribution, Subscription, SubscriptionState, record::Kind};

use super::{
    Horizon, Out,
    catalogue::{self, CatalogueProduct},
    customer::{Profile, Trouble},
    dice::Dice,
};

/// Who sold a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DealSeller {
    Own,
    Other,
    Direct,
}

/// A state of a subscription.
#[derive(Clone, Debug)]
pub(super) struct DealState {
    pub(super) from: Day,
    pub(super) status: &'static str,
    pub(super) seats: u32,
    pub(super) trial: bool,
}

impl DealState {
    /// Whether somebody is billed for it.
    pub(super) fn paid(&self) -> bool {
        self.status == "Active" && !self.trial
    }

    /// Whether people can work with it.
    pub(super) fn usable(&self) -> bool {
        matches!(self.status, "Active" | "InGracePeriod")
    }
}

/// A subscription and its whole life.
pub(super) struct Deal {
    pub(super) id: String,
    pub(super) product: &'static CatalogueProduct,
    pub(super) seller: DealSeller,
    /// The share of the customer's people it is for.
    pub(super) share: f64,
    /// Of those it is for, the share that gets it.
    pub(super) deployed: f64,
    attributions: Vec<Attribution>,
    sales_channel: Option<&'static str>,
    pricing_model: Option<&'static str>,
    began_as_trial: bool,
    pub(super) states: Vec<DealState>,
    /// The last day of its term, which renews by itself.
    end: Option<Day>,
}

impl Deal {
    /// The state in force at the end of `day`.
    pub(super) fn state_on(&self, day: Day) -> Option<&DealState> {
        self.states.iter().rev().find(|state| state.from <= day)
    }
}

/// What is bought: SKU, share of people, seats beyond the people it is for.
struct Wish {
    sku: &'static str,
    share: f64,
    late: bool,
}

/// Draws everything the customer buys; the suite first.
pub(super) fn draw(profile: &Profile, horizon: Horizon, dice: &mut Dice) -> Vec<Deal> {
    let mut wishes = vec![Wish { sku: suite(profile.people, dice), share: 1.0, late: false }];
    let big = if profile.people > 100.0 { 2.0 } else { 1.0 };
    for (sku, probability, low, high) in [
        (catalogue::SALES, 0.13 * big, 0.08, 0.35),
        (catalogue::SERVICE, 0.07 * big, 0.05, 0.3),
        (catalogue::CENTRAL, 0.09 * big, 0.05, 0.25),
        (catalogue::TEAM, 0.05 * big, 0.2, 0.6),
        (catalogue::POWER_BI, 0.16 * big, 0.05, 0.4),
        (catalogue::EMS, 0.08 * big, 0.3, 1.0),
        (catalogue::AZURE, 0.25, 0.0, 0.0),
        (catalogue::POWER_BI_FREE, 0.14, 0.05, 0.3),
        (catalogue::AUTOMATE_FREE, 0.1, 0.05, 0.2),
    ] {
        if dice.chance(probability) {
            wishes.push(Wish { sku, share: dice.between(low, high), late: dice.chance(0.45) });
        }
    }
    if profile.people > 300.0 {
        wishes.push(Wish { sku: catalogue::F3, share: 0.3, late: dice.chance(0.5) });
    }
    if profile.trouble == Some(Trouble::DoubleInGrace) {
        let sku = wishes[0].sku;
        wishes.push(Wish { sku, share: 1.0, late: false });
    }
    let suite_seller = seller(dice);
    let mut deals = Vec::new();
    for (at, wish) in wishes.into_iter().enumerate() {
        let seller = if at == 0 || dice.chance(0.7) { suite_seller } else { seller(dice) };
        deals.push(deal(profile, at, &wish, seller, horizon, dice));
    }
    if profile.here(horizon.end) && dice.chance(0.06) {
        deals.push(trial_under_way(profile, deals.len(), horizon, dice));
    }
    if profile.trouble == Some(Trouble::DoubleInGrace) {
        put_into_grace(&mut deals, horizon);
    }
    deals.retain(|deal| !deal.states.is_empty());
    deals
}

fn suite(people: f64, dice: &mut Dice) -> &'static str {
    match people {
        p if p < 10.0 => dice.weighted(&[(catalogue::BASIC, 5), (catalogue::STANDARD, 4), (catalogue::PREMIUM, 1)]),
        p if p < 250.0 => dice.weighted(&[(catalogue::BASIC, 2), (catalogue::STANDARD, 5), (catalogue::PREMIUM, 4)]),
        _ => dice.weighted(&[(catalogue::E3, 5), (catalogue::E5, 2)]),
    }
}

fn seller(dice: &mut Dice) -> DealSeller {
    dice.weighted(&[(DealSeller::Own, 80), (DealSeller::Other, 12), (DealSeller::Direct, 8)])
}

fn deal(profile: &Profile, at: usize, wish: &Wish, seller: DealSeller, horizon: Horizon, dice: &mut Dice) -> Deal {
    let product = catalogue::product(wish.sku);
    let azure = wish.sku == catalogue::AZURE;
    let trial = wish.late && !product.free && !azure && dice.chance(0.5);
    let deployed = match profile.trouble {
        Some(Trouble::Undeployed) => 0.35,
        Some(Trouble::OverAssigned) => 1.0,
        _ => dice.between(0.82, 1.0),
    };
    let slack = match profile.trouble {
        Some(Trouble::OverAssigned) => 0.7,
        Some(Trouble::Undeployed) => 1.3,
        _ => dice.between(1.0, 1.18),
    };
    let states = if product.free {
        let seats = *dice.pick(&[10_000, 50_000, 1_000_000]);
        constant(profile, seats)
    } else if azure {
        constant(profile, 0)
    } else {
        Life { profile, share: wish.share, slack, horizon }.states(wish.late, trial, dice)
    };
    Deal {
        id: format!("S-{}-{}", &profile.id[2..], at + 1),
        product,
        seller,
        share: wish.share,
        deployed,
        attributions: attributions(profile, seller, dice),
        sales_channel: match seller {
            DealSeller::Own => Some(dice.weighted(&[("CSP", 8), ("CSP Indirect", 2)])),
            DealSeller::Other => Some("CSP"),
            DealSeller::Direct => Some("Direct"),
        },
        pricing_model: if azure { Some(dice.weighted(&[("Azure plan", 3), ("Pay-As-You-Go", 2)])) } else { None },
        began_as_trial: trial,
        end: if product.free || azure { None } else { term_end(&states, horizon) },
        states,
    }
}

/// Terms are years; one that ended for good ended when its last state says.
fn term_end(states: &[DealState], horizon: Horizon) -> Option<Day> {
    let (first, last) = (states.first()?, states.last()?);
    if !last.usable() {
        return Some(last.from);
    }
    let years = (horizon.end.month().index() - first.from.month().index()) / 12;
    let into = i32::try_from(first.from.day_of_month()).unwrap_or(1) - 2;
    let end = |years: i32| first.from.month().plus(12 * years).first_day().plus(into);
    [years, years + 1].map(end).into_iter().find(|end| *end >= horizon.end)
}

/// One state per stay, with the same seats for ever.
fn constant(profile: &Profile, seats: u32) -> Vec<DealState> {
    let mut states = Vec::new();
    for (from, to) in &profile.stays {
        states.push(DealState { from: *from, status: "Active", seats, trial: false });
        states.extend(to.map(|to| DealState { from: to, status: "Deleted", seats, trial: false }));
    }
    states
}

fn attributions(profile: &Profile, seller: DealSeller, dice: &mut Dice) -> Vec<Attribution> {
    let of = |office: usize, kind: &str| Attribution {
        location_id: Some(catalogue::LOCATIONS[office].id.into()),
        r#type: Some(kind.into()),
    };
    let elsewhere = (profile.office + 1) % catalogue::LOCATIONS.len();
    match seller {
        DealSeller::Own if dice.chance(0.06) => vec![of(profile.office, "CSP"), of(elsewhere, "PAL")],
        DealSeller::Own if dice.chance(0.04) => vec![],
        DealSeller::Own => vec![of(profile.office, "CSP")],
        DealSeller::Other | DealSeller::Direct if dice.chance(0.5) => {
            vec![of(profile.office, dice.weighted(&[("CPOR", 5), ("DPOR", 3), ("PAL", 2), ("DAP", 2)]))]
        }
        DealSeller::Other | DealSeller::Direct => vec![],
    }
}

struct Life<'a> {
    profile: &'a Profile,
    share: f64,
    slack: f64,
    horizon: Horizon,
}

impl Life<'_> {
    fn states(&self, late: bool, trial: bool, dice: &mut Dice) -> Vec<DealState> {
        let mut states = Vec::new();
        for (at, (came, left)) in self.profile.stays.iter().enumerate() {
            let end = left.unwrap_or(self.horizon.end.plus(1));
            let span = end.epoch_days() - came.epoch_days();
            let mut from = if late && at == 0 { came.plus(dice.days(20, span.max(40))) } else { *came };
            if from >= end {
                continue;
            }
            if trial && at == 0 {
                states.push(DealState { from, status: "Active", seats: 25, trial: true });
                from = from.plus(30);
                if from >= end || !dice.chance(0.62) {
                    if from <= self.horizon.end {
                        states.push(DealState { from, status: "Disabled", seats: 25, trial: true });
                    }
                    continue;
                }
            }
            self.stay(from, end, &mut states, dice);
            states.extend(left.map(|to| self.state(to, "Deleted")));
        }
        states
    }

    /// Seats follow the people every quarter; now and then a bill is not paid.
    fn stay(&self, from: Day, end: Day, states: &mut Vec<DealState>, dice: &mut Dice) {
        states.push(self.state(from, "Active"));
        let mut day = from.plus(dice.days(60, 100));
        while day < end {
            if self.profile.trouble.is_none() && dice.chance(0.03) {
                states.push(self.state(day, "InGracePeriod"));
                day = day.plus(dice.days(10, 28));
                if day < end && dice.chance(0.3) {
                    states.push(self.state(day, "Suspended"));
                    day = day.plus(dice.days(8, 30));
                }
                if day >= end {
                    return;
                }
                states.push(self.state(day, "Active"));
            } else {
                let state = self.state(day, "Active");
                if states.last().is_none_or(|last| last.seats != state.seats) {
                    states.push(state);
                }
            }
            day = day.plus(dice.days(80, 100));
        }
    }

    fn state(&self, from: Day, status: &'static str) -> DealState {
        let people = self.profile.people_on(from, self.horizon);
        let seats = (people * self.share * self.slack).ceil().max(1.0) as u32;
        DealState { from, status, seats, trial: false }
    }
}

impl Profile {
    /// How many people the customer has on a day.
    pub(super) fn people_on(&self, day: Day, horizon: Horizon) -> f64 {
        let years = f64::from(day.epoch_days() - horizon.start().epoch_days()) / 365.0;
        (self.people * (1.0 + self.growth).max(0.6).powf(years)).max(1.0)
    }
}

/// A trial that began in the last weeks: what comes of it nobody knows yet.
fn trial_under_way(profile: &Profile, at: usize, horizon: Horizon, dice: &mut Dice) -> Deal {
    let sku = *dice.pick(&[catalogue::POWER_BI, catalogue::SALES, catalogue::EMS]);
    let wish = Wish { sku, share: 0.6, late: false };
    let mut deal = deal(profile, at, &wish, DealSeller::Own, horizon, dice);
    let came = profile.stays.last().map_or(horizon.start(), |(came, _)| *came);
    let from = horizon.end.plus(-dice.days(6, 24)).max(came);
    deal.states = vec![DealState { from, status: "Active", seats: 25, trial: true }];
    deal.began_as_trial = true;
    deal.end = Some(from.plus(29));
    deal
}

/// The second subscription of the suite goes into grace for the last two months.
fn put_into_grace(deals: &mut [Deal], horizon: Horizon) {
    let Some(suite) = deals.first().map(|deal| deal.product.id) else { return };
    let Some(second) = deals.iter_mut().skip(1).find(|deal| deal.product.id == suite) else { return };
    let from = horizon.end.plus(-50);
    let seats = second.state_on(from).map_or(10, |state| state.seats);
    second.states.retain(|state| state.from < from);
    second.states.push(DealState { from, status: "InGracePeriod", seats, trial: false });
}

/// Sends a subscription and its states.
pub(super) fn send(profile: &Profile, deal: &Deal, out: &mut Out<'_>) -> Result<(), Stopped> {
    out.send(Kind::Subscription(Subscription {
        subscription_id: deal.id.clone(),
        customer_id: profile.id.clone(),
        sku_id: deal.product.id.into(),
        sales_channel: deal.sales_channel.map(str::to_owned),
        pricing_model: deal.pricing_model.map(str::to_owned),
        seller: Some(
            match deal.seller {
                DealSeller::Own => "own",
                DealSeller::Other => "other",
                DealSeller::Direct => "direct",
            }
            .into(),
        ),
        trial: deal.began_as_trial,
        auto_renew: Some(true),
        start: deal.states.first().map(|state| state.from.to_string()),
        end: deal.end.map(|end| end.to_string()),
        attributions: deal.attributions.clone(),
        paid_by_use: false,
    }))?;
    for state in &deal.states {
        out.send(Kind::SubscriptionState(SubscriptionState {
            subscription_id: deal.id.clone(),
            effective: state.from.to_string(),
            status: state.status.into(),
            seats: Some(i64::from(state.seats)),
            sku_id: None,
            trial: if deal.began_as_trial { Some(state.trial) } else { None },
        }))?;
    }
    Ok(())
}
