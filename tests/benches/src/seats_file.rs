//! A file of SeatsSubscriptionsAndRevenue, as Partner Center Insights gives it.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
};

use insights_domain::calendar::Month;

use crate::{
    Failure,
    feed_partner::{FeedPartner, country, country_name, customer_id, segment, segment_name, subscription_id},
};

/// Months of each subscription in the file.
const MONTHS: i32 = 12;

/// The file, and what is in it. It goes with this value.
pub struct SeatsFile {
    /// Where it is.
    pub path: PathBuf,
    /// How many rows it has.
    pub rows: i64,
    /// How long it is.
    pub bytes: u64,
    /// Its last month.
    pub last: Month,
    /// Seats of all subscriptions in its last month.
    pub seats: i64,
    _folder: tempfile::TempDir,
}

impl SeatsFile {
    /// Writes a row for every subscription and month, the months one after the other.
    pub fn write(partner: &FeedPartner) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("SeatsSubscriptionsAndRevenue.csv");
        let mut out = BufWriter::new(File::create(&path)?);
        writeln!(
            out,
            "SubscriptionId,SubscriptionStartDate,SubscriptionEndDate,SubscriptionState,Month,IsAutoRenew,CustomerName,\
             CustomerTenantId,CustomerSegment,CustomerMarket,Product,SKU,MPNID,PartnerName,PartnerLocation,\
             PartnerAttributionType,SalesChannel,AvailableSeatsEOP,TotalAssignedSeats,BilledRevenueUSD"
        )?;
        let last = partner.month;
        let subscriptions = partner.scenario.subscriptions;
        let (mut rows, mut seats) = (0, 0);
        for back in (0..MONTHS).rev() {
            let month = last.plus(-back).first_day();
            for number in 0..subscriptions {
                let owner = partner.owner(number);
                let available = i64::from(number % 90) + 1;
                rows += 1;
                if back == 0 {
                    seats += available;
                }
                writeln!(
                    out,
                    "{},2024-01-15,2027-01-14,Active,{month},Yes,Customer {owner},{},{},{},Microsoft 365,Microsoft 365 E{},\
                     4711,Contoso Partners,Germany,CSP Tier 1,CSP,{available},{},{}.25",
                    subscription_id(number),
                    customer_id(owner),
                    segment_name(segment(owner)),
                    country_name(country(owner)),
                    number % 4 + 1,
                    available / 2,
                    number % 700
                )?;
            }
        }
        out.flush()?;
        let bytes = path.metadata()?.len();
        Ok(Self { path, rows, bytes, last, seats, _folder: folder })
    }
}
