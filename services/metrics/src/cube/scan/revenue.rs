//! Adds billed revenue.

use crate::cube::scan::accumulators::Accumulators;
use crate::cube::scan::chunk_scan::ChunkScan;

pub fn read_revenue(scan: &ChunkScan<'_, '_>, accumulators: &mut Accumulators) {
    let (chunk, predicate) = (scan.chunk, scan.compiled.predicate());
    for bit in scan.window.in_range() {
        let offset = scan.window.offset(bit);
        for row in chunk.months.get(offset).map_or(&[][..], |month| &month.revenue) {
            let position = row.subscription as usize;
            let subscription = &chunk.subscriptions[position];
            let customer = chunk.customer_of[position] as usize;
            let run = chunk.run_at(subscription, offset).filter(|run| {
                predicate.customer(&chunk.customers[customer])
                    && scan.is_named(position)
                    && predicate.run(subscription, run)
            });
            let Some(run) = run else { continue };
            scan.groups_of(scan.customer_part(customer), position, run, |key, product_key, attribution_part| {
                let group = accumulators.group(key, product_key, attribution_part);
                accumulators.bill(row.currency, group, scan.window.column(bit), row.amount);
            });
        }
    }
}
