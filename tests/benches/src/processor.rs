//! Processor time of the product, its PostgreSQL and the bench itself, from `/proc`: on a machine that others use too it says
//! more than the clock on the wall.

use std::{fs, path::Path};

/// Seconds of processor time, the system's included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Processor {
    /// The product.
    pub product: f64,
    /// PostgreSQL, all its processes.
    pub database: f64,
    /// The bench.
    pub bench: f64,
}

/// Ticks a second in `/proc`, as on every Linux.
const TICKS: f64 = 100.0;

impl Processor {
    /// What the processes took so far.
    pub fn now(product: u32, postgres: &Path) -> Self {
        let postmaster = fs::read_to_string(postgres.join("data/postmaster.pid")).unwrap_or_default();
        let postmaster: u32 = postmaster.lines().next().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
        Self {
            product: Times::of(product).map_or(0.0, |times| times.own),
            database: tree(postmaster),
            bench: Times::of(std::process::id()).map_or(0.0, |times| times.own),
        }
    }

    /// What was taken since an earlier reading.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            product: self.product - earlier.product,
            database: self.database - earlier.database,
            bench: self.bench - earlier.bench,
        }
    }
}

/// A process, those it started and those of them that ended.
fn tree(parent: u32) -> f64 {
    let Some(times) = Times::of(parent) else { return 0.0 };
    let children = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = children.filter_map(|entry| Times::of(entry.file_name().to_str()?.parse().ok()?));
    times.own + times.ended + children.filter(|child| child.parent == parent).map(|child| child.own).sum::<f64>()
}

struct Times {
    parent: u32,
    own: f64,
    ended: f64,
}

impl Times {
    fn of(process: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name may hold blanks and parentheses; what follows it begins with the state.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0) / TICKS;
        Some(Self { parent: fields.get(1)?.parse().ok()?, own: ticks(11) + ticks(12), ended: ticks(13) + ticks(14) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted() {
        let before = Processor::now(std::process::id(), Path::new("/nowhere"));
        let start = std::time::Instant::now();
        let mut sum = 0_u64;
        while start.elapsed().as_millis() < 200 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let taken = Processor::now(std::process::id(), Path::new("/nowhere")).since(before);
        assert!(taken.bench > 0.01 && taken.product > 0.01 && taken.database == 0.0, "{taken:?}");
    }
}
