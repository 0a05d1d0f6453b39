//! Crashes on purpose, for tests: a debug build reads `INSIGHTS_DRILL` once and ends or halts at the points it names, or leaves
//! out the guards it names. In a release build nothing of this exists.
//!
//! The variable holds orders with commas between them:
//!
//! - `abort:POINT:N`: the process ends, as by a crash, when it comes to the point for the Nth time;
//! - `pause:POINT:N:FILE`: it makes the file and goes on when somebody removes it;
//! - `without:GUARD`: the guard is left out, so that a test can show what it is for.

#[cfg(debug_assertions)]
mod orders {
    use std::{
        path::{Path, PathBuf},
        sync::{
            LazyLock,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use tokio::{
        runtime::{Handle, RuntimeFlavor},
        task::block_in_place,
    };

    enum What {
        Abort,
        Pause(PathBuf),
    }

    struct Order {
        point: String,
        turn: usize,
        passed: AtomicUsize,
        what: What,
    }

    #[derive(Default)]
    struct Orders {
        points: Vec<Order>,
        without: Vec<String>,
    }

    static ORDERS: LazyLock<Orders> = LazyLock::new(|| read(&std::env::var("INSIGHTS_DRILL").unwrap_or_default()));

    fn read(text: &str) -> Orders {
        let mut orders = Orders::default();
        for order in text.split(',').filter(|order| !order.is_empty()) {
            let words: Vec<&str> = order.splitn(4, ':').collect();
            let at = |point: &str, turn: &str, what| {
                let turn = turn.parse().ok()?;
                Some(Order { point: point.to_owned(), turn, passed: AtomicUsize::new(0), what })
            };
            match words.as_slice() {
                ["abort", point, turn] => orders.points.extend(at(point, turn, What::Abort)),
                ["pause", point, turn, file] => orders.points.extend(at(point, turn, What::Pause(file.into()))),
                ["without", guard] => orders.without.push((*guard).to_owned()),
                _ => eprintln!("INSIGHTS_DRILL: {order:?} is no order"),
            }
        }
        orders
    }

    pub fn point(name: &str) {
        for order in ORDERS.points.iter().filter(|order| order.point == name) {
            if order.passed.fetch_add(1, Ordering::SeqCst) + 1 != order.turn {
                continue;
            }
            match &order.what {
                What::Abort => std::process::abort(),
                What::Pause(file) => pause(name, file),
            }
        }
    }

    fn pause(name: &str, file: &Path) {
        let wait = || {
            let made = std::fs::write(file, name);
            while made.is_ok() && file.exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            // Everything else goes on: another thread takes over what this one had to do.
            Ok(RuntimeFlavor::MultiThread) => block_in_place(wait),
            _ => wait(),
        }
    }

    pub fn guarded(name: &str) -> bool {
        !ORDERS.without.iter().any(|guard| guard == name)
    }
}

/// A point at which a test may end the process.
#[inline]
pub fn point(name: &str) {
    #[cfg(debug_assertions)]
    orders::point(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Whether a guard holds; always, unless a test left it out.
#[inline]
#[must_use]
pub fn guarded(name: &str) -> bool {
    #[cfg(debug_assertions)]
    return orders::guarded(name);
    #[cfg(not(debug_assertions))]
    {
        let _ = name;
        true
    }
}
