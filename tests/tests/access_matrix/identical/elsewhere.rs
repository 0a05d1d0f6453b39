//! What is attributed to another location or to none: all of it of a seed. Callers bound to L1 or L2 see nothing of it.

use insights_proto::ingestion::v1::{ActivityColumns, Location, record::Kind};
use insights_tests::records::{self, state, text};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::seeded_product::{CUSTOMERS, Variant, support_cases, user};

/// Customers that have nothing to do with L1 and L2.
const OTHERS: usize = 8;
/// Numbers of their users begin here.
const USERS: usize = 1_000;

fn dice(variant: Variant, salt: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(variant.elsewhere * 1_000 + salt)
}

/// Customers of elsewhere, and what customers of L1 and L2 have elsewhere.
pub fn records(variant: Variant) -> Vec<Kind> {
    let mut dice = dice(variant, 1);
    let name = format!("Office {} of elsewhere", variant.elsewhere);
    let mut records = vec![Kind::Location(Location { location_id: "L3".into(), name, country: "FR".into() })];
    for number in 0..OTHERS {
        records.push(records::customer(&format!("X-{number}"), |it| {
            it.name = Some(format!("Other {number} of {}", variant.elsewhere));
            it.country = text(["FR", "IT", "ES", "BR"][dice.random_range(0..4)]);
            it.segment = text(["Small", "Public"][dice.random_range(0..2)]);
            it.industry = text(["Steel", "Wine"][dice.random_range(0..2)]);
        }));
        if dice.random_bool(0.7) {
            records.push(support_cases(&format!("X-{number}"), 30, dice.random_range(1..30)));
        }
        for half in 0..dice.random_range(0..3) {
            let sku = ["SKU-1", "SKU-2", "SKU-3"][dice.random_range(0..3)];
            records.extend(subscription(
                variant,
                &mut dice,
                &format!("X-{number}"),
                &format!("SX-{number}-{half}"),
                sku,
            ));
        }
    }
    for number in 0..CUSTOMERS {
        if dice.random_bool(0.6) {
            // Not of SKU-3: reported rows of a customer and SKU step back behind detail, wherever that is.
            let sku = ["SKU-1", "SKU-2"][dice.random_range(0..2)];
            records.extend(subscription(variant, &mut dice, &format!("C-{number}"), &format!("SC-{number}"), sku));
        }
    }
    records
}

fn subscription(variant: Variant, dice: &mut ChaCha8Rng, customer: &str, id: &str, sku: &str) -> Vec<Kind> {
    let attribution = records::attribution("L3", ["CSP", "PAL"][dice.random_range(0..2)]);
    let mut records = vec![records::subscription(id, customer, sku, |it| {
        it.trial = dice.random_bool(0.2);
        it.attributions = if dice.random_bool(0.3) { Vec::new() } else { vec![attribution] };
        it.seller = text(["own", "other", "direct"][dice.random_range(0..3)]);
        it.end = Some(format!("2025-04-{}", dice.random_range(10..30)));
        it.sales_channel = text(["Web", "Direct"][dice.random_range(0..2)]);
    })];
    let status = ["Active", "Active", "Warning", "Suspended"][dice.random_range(0..4)];
    let month = dice.random_range(1..4);
    records.push(state(id, &format!("2025-0{month}-05"), status, dice.random_range(1..5_000)));
    for _ in 0..dice.random_range(0..4) {
        // Some are users of C-customers that hold other seats too.
        let user = user(variant, dice.random_range(0..USERS + 50));
        records.push(records::assignment(id, &user, &format!("2025-0{}-01", dice.random_range(1..4))));
    }
    if dice.random_bool(0.7) {
        let amount = dice.random_range(1..1_000_000).to_string();
        records.push(records::revenue(id, "2025-03", &amount, ["USD", "GBP"][dice.random_range(0..2)]));
    }
    records
}

/// What the users of customers of elsewhere did.
pub fn activity(variant: Variant, columns: &mut ActivityColumns) {
    let mut dice = dice(variant, 2);
    for number in 0..OTHERS {
        let customer = u32::try_from(columns.customers.len()).unwrap();
        columns.customers.push(format!("X-{number}"));
        for seat in 0..dice.random_range(0..6) {
            let user_no = u32::try_from(columns.users.len()).unwrap();
            columns.users.push(user(variant, USERS + number * 10 + seat));
            columns.customer.push(customer);
            columns.user.push(user_no);
            columns.service.push(dice.random_range(0..2));
            columns.day.push(20_130 + dice.random_range(0..45));
        }
    }
}
