//! What a reader cannot know from the file alone.

use insights_domain::calendar::{Day, Month};
use insights_domain::ids::canonical_id;

use super::{DateOrder, ReadError, RecordKind};

/// What the readers cannot know from the file.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Today in the partner's time zone: `complete_through` never lies after it.
    pub today: Day,
    /// What the rows of our own tables are, where the caller says so.
    pub kind: Option<RecordKind>,
    /// What the file's name says they are; decides where the columns leave it open.
    pub named: Option<RecordKind>,
    /// The customer the file is about, for formats that do not say.
    pub customer: Option<String>,
    /// The month the file is about, for formats that do not say; without it, that of the file.
    pub month: Option<Month>,
    /// When the file was made, in seconds since 1970.
    pub made: i64,
    /// A page of the file names a next one that is not in it: it is no whole list.
    pub cut_short: bool,
    /// The tenant of the partner itself: what it sold is its own.
    pub own_tenant: Option<String>,
    /// Which of day and month comes first in dates that leave it open, for files that do not tell.
    pub dates: Option<DateOrder>,
}

impl ReadOptions {
    /// Nothing said but the day.
    #[must_use]
    pub fn on(today: Day) -> Self {
        let made = i64::from(today.epoch_days()) * 86_400;
        Self {
            today,
            kind: None,
            named: None,
            customer: None,
            month: None,
            made,
            cut_short: false,
            own_tenant: None,
            dates: None,
        }
    }

    /// The day on which things stood as the file says: the last of the month, else that of the file; at most today.
    pub(crate) fn day(&self) -> Day {
        let made = i32::try_from(self.made.div_euclid(86_400)).ok().and_then(Day::from_epoch_days);
        let day = self.month.map(Month::last_day).or(made).unwrap_or(self.today);
        day.min(self.today)
    }

    /// Whether nobody can know yet how things stood on a day. Zones are not known, so the day after today does not.
    pub(crate) fn lies_ahead(&self, day: Day) -> bool {
        day.epoch_days() > self.today.epoch_days() + 1
    }

    /// When things stood so, in seconds since 1970.
    pub(crate) fn seen(&self) -> i64 {
        match self.month {
            Some(_) => i64::from(self.day().epoch_days()) * 86_400,
            None => self.made,
        }
    }

    /// The customer, in the one spelling that is compared.
    pub(crate) fn customer(&self) -> Result<String, ReadError> {
        let customer = self.customer.as_deref().map(str::trim).filter(|customer| !customer.is_empty());
        let missing = || ReadError::Refused("the file does not say whose it is: say so with --customer".into());
        Ok(canonical_id(customer.ok_or_else(missing)?))
    }
}
