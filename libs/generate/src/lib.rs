//! Makes a believable partner: customers of very different size that come, grow, stumble and leave, people who use what they
//! hold more in March than in August, and a few customers with trouble to find. The same options give the same records.

mod catalogue;
mod customer;
mod dice;
mod people;
mod subscriptions;
mod writer;

use insights_domain::calendar::{Day, Month};
use insights_import::{ActivityDay, Sink, Stopped};
use insights_proto::ingestion::v1::{CompleteThrough, Partner, Record, record::Kind};

use self::{customer::Profile, dice::Dice};

pub use writer::{KINDS, Writer};

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct GenerateOptions {
    /// How many customers.
    pub customers: u32,
    /// How many months, the month of `end` included.
    pub months: u32,
    /// The same seed gives the same partner.
    pub seed: u64,
    /// The last day with data.
    pub end: Day,
}

/// The days there is data for.
#[derive(Clone, Copy, Debug)]
struct Horizon {
    first: Month,
    last: Month,
    end: Day,
}

impl Horizon {
    fn start(self) -> Day {
        self.first.first_day()
    }

    fn months(self) -> impl Iterator<Item = Month> {
        (self.first.index()..=self.last.index()).filter_map(Month::from_index)
    }

    /// The month's last day with data.
    fn last_day(self, month: Month) -> Day {
        month.snapshot_day(self.end)
    }
}

/// Sends the records of a whole partner to `sink`. Rows are numbered from 1 in the order of sending.
pub fn generate(options: &GenerateOptions, sink: &mut dyn Sink) -> Result<(), Stopped> {
    let last = options.end.month();
    let months = i32::try_from(options.months.clamp(1, 120)).unwrap_or(120);
    let horizon = Horizon { first: last.plus(1 - months), last, end: options.end };
    let mut out = Out { sink, row: 0 };
    out.send(Kind::Partner(Partner {
        name: Some("Northwind Cloud Partners".into()),
        time_zone: Some("UTC".into()),
        currency: Some("USD".into()),
    }))?;
    for location in catalogue::LOCATIONS {
        out.send(Kind::Location(location.record()))?;
    }
    for sku in catalogue::SKUS {
        out.send(Kind::Sku(sku.record()))?;
    }
    for index in 0..options.customers {
        let mut dice = Dice::new(options.seed, u64::from(index) + 1);
        let profile = Profile::draw(index, horizon, &mut dice);
        customer::send(&profile, horizon, &mut dice, &mut out)?;
    }
    out.send(Kind::CompleteThrough(CompleteThrough { day: options.end.to_string() }))
}

/// Numbers what is sent.
struct Out<'a> {
    sink: &'a mut dyn Sink,
    row: u64,
}

impl Out<'_> {
    fn send(&mut self, kind: Kind) -> Result<(), Stopped> {
        self.row += 1;
        self.sink.record(self.row, Record { kind: Some(kind), ..Record::default() })
    }

    fn activity(&mut self, activity: ActivityDay) -> Result<(), Stopped> {
        self.row += 1;
        self.sink.activity(self.row, activity)
    }
}

#[cfg(test)]
mod tests;
