//! Reads subscriptions whose SKU and terms never change, by the bits of their lifespans.

use insights_domain::standing::Standing;
use insights_domain::usage::SeatRule;

use super::chunk::{HAS_STATE, NO_SELLER, Run};
use super::figures::{Mark, Sum, Table};
use super::keys::Key;
use super::rows::Scan;
use super::scratch::Scratch;

impl Scan<'_, '_> {
    /// Does for a steady subscription what is done for the runs of another.
    pub(super) fn read_steady(&self, part: Key, position: usize, table: &mut Table, scratch: &mut Scratch) {
        let (subscription, lifespan) = (&self.chunk.subscriptions[position], &self.chunk.lifespans[position]);
        let known = self.window.cut(lifespan.known);
        if known == 0 {
            return;
        }
        let (sku, flags) = (subscription.sku, HAS_STATE);
        let all = Run { from: 0, to: 0, sku, attributions: 0, seller: NO_SELLER, flags, reported: 0 };
        self.find_groups(part, position, &all, table, scratch);
        let active = self.window.cut(lifespan.active);
        let needs_source = self.needs.standing_source || self.needs.assigned_source || self.needs.active_source;
        for at in 0..scratch.groups.len() {
            let group = scratch.groups[at];
            if self.needs.customers {
                scratch.lives_of(group).counted |= active;
            }
            if needs_source {
                table.mark(Mark::FromDetail, group, self.marks(known));
            }
            if self.bounded_seats {
                let customer = self.chunk.customer_of[position] as usize;
                for span in self.window.spans(known) {
                    self.mark_lower_bound(customer, &all, span, group, table);
                }
            }
            if self.needs.subscriptions {
                for (columns, _) in self.window.spans(active).filter_map(|span| self.columns_of(span)) {
                    table.add_between(Sum::Subscriptions, group, columns);
                }
            }
            if self.needs.seats {
                let (free, switches) = (self.plan.sku_free[sku as usize], self.plan.query.switches);
                let paid = self.window.cut(lifespan.paid);
                // Nothing but use counts outside of good standing, whatever the standing is.
                for (months, standing) in [(paid, Standing::Active), (known & !paid, Standing::Other)] {
                    let rule = SeatRule::of(standing, false, free, switches);
                    if rule.available || rule.active && self.needs.sums(Sum::Active) {
                        for span in self.window.spans(months) {
                            self.add_seats(subscription, rule, span, group, table);
                        }
                    }
                }
            }
        }
    }
}
