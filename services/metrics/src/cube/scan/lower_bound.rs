//! Marks figures on seats that rest on use that may be greater than what is known of it.

use crate::cube::data::chunk::{ACTIVE_REPORTED, AttributeRun, HAS_STATE};
use crate::cube::scan::accumulators::{Accumulators, Mark, bit_of};
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::window::RunMonths;

/// Marks the months in which the use of a subscription may be greater than what is known of it.
pub fn mark_lower_bound(
    scan: &ChunkScan<'_, '_>,
    customer: usize,
    run: &AttributeRun,
    months: RunMonths,
    group: u32,
    accumulators: &mut Accumulators,
) {
    if run.flags & HAS_STATE == 0 || run.reported & ACTIVE_REPORTED != 0 {
        return;
    }
    let Some((columns, offset)) = scan.window.columns_of(months) else { return };
    let cube = scan.compiled.cube();
    let services = cube.partner.skus.get(&run.sku).map_or(&[][..], |sku| sku.services.as_slice());
    for (column, month) in columns.zip(&scan.chunk.months[offset..]) {
        let bounded = cube.dictionaries.services.value(month.lower_bound_of(customer));
        if bounded.iter().any(|service| services.contains(service)) {
            accumulators.mark(Mark::LowerBound, group, bit_of(column));
        }
    }
}
