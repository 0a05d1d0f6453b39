//! Which figures on seats rest on use that may be greater than what is known of it.

use crate::cube::data::chunk::{ACTIVE_REPORTED, AttributeRun, HAS_STATE};
use crate::cube::scan::accumulators::{Accumulators, Mark, bit_of};
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::window::RunMonths;

impl ChunkScan<'_, '_> {
    /// Marks the months in which the use of a subscription may be greater than what is known of it.
    pub fn mark_lower_bound(
        &self,
        customer: usize,
        run: &AttributeRun,
        span: RunMonths,
        group: u32,
        accumulators: &mut Accumulators,
    ) {
        if run.flags & HAS_STATE == 0 || run.reported & ACTIVE_REPORTED != 0 {
            return;
        }
        let Some((columns, offset)) = self.window.columns_of(span) else { return };
        let services = self.compiled.cube.partner.skus.get(&run.sku).map_or(&[][..], |sku| sku.services.as_slice());
        for (column, month) in columns.zip(&self.chunk.months[offset..]) {
            let bounded = self.compiled.cube.dictionaries.services.value(month.lower_bound_of(customer));
            if bounded.iter().any(|service| services.contains(service)) {
                accumulators.mark(Mark::LowerBound, group, bit_of(column));
            }
        }
    }
}
