//! Fail points: places at which a test makes the program crash, stop or fail, and guards that a test leaves out to show what they are
//! for. They exist in debug builds only; in a release build every function here is an empty one with a constant answer.
//!
//! A process takes orders from `INSIGHTS_FAIL_POINTS`, separated by commas; a test gives them to its own process with `arm`.
//!
//! - `abort:POINT:N`: the process ends, as by a crash, when it comes to the point for the Nth time;
//! - `pause:POINT:N:FILE`: it creates the file and goes on when the file is removed;
//! - `fail:POINT:N`: the operation fails there every Nth time;
//! - `without:GUARD`: the guard is left out.

#[cfg(debug_assertions)]
mod orders {
    use std::{
        path::{Path, PathBuf},
        sync::{
            Arc, LazyLock, PoisonError, RwLock,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use tokio::{
        runtime::{Handle, RuntimeFlavor},
        task::block_in_place,
    };

    /// The environment variable with the orders of a process.
    const VARIABLE: &str = "INSIGHTS_FAIL_POINTS";

    enum Action {
        Abort,
        Pause(PathBuf),
        Fail,
        Without,
    }

    struct Order {
        point: String,
        turn: usize,
        passed: AtomicUsize,
        action: Action,
        /// Where it applies; `None`: everywhere.
        scope: Option<String>,
    }

    static ORDERS: LazyLock<RwLock<Vec<Arc<Order>>>> =
        LazyLock::new(|| RwLock::new(read(&std::env::var(VARIABLE).unwrap_or_default(), None)));

    fn read(text: &str, scope: Option<&str>) -> Vec<Arc<Order>> {
        let order = |text: &str| {
            let words: Vec<&str> = text.splitn(4, ':').collect();
            let (point, turn, action) = match words.as_slice() {
                ["abort", point, turn] => (point, turn.parse().ok()?, Action::Abort),
                ["pause", point, turn, file] => (point, turn.parse().ok()?, Action::Pause(file.into())),
                ["fail", point, turn] => (point, turn.parse().ok()?, Action::Fail),
                ["without", guard] => (guard, 1, Action::Without),
                _ => return None,
            };
            let (point, scope, passed) = ((*point).to_owned(), scope.map(str::to_owned), AtomicUsize::new(0));
            Some(Arc::new(Order { point, turn, passed, action, scope }))
        };
        let read = |text: &str| {
            order(text).or_else(|| {
                eprintln!("{VARIABLE}: {text:?} is no order");
                None
            })
        };
        text.split(',').filter(|order| !order.is_empty()).filter_map(read).collect()
    }

    fn of(name: &str, scope: &str) -> Vec<Arc<Order>> {
        let orders = ORDERS.read().unwrap_or_else(PoisonError::into_inner);
        let concerns = |order: &&Arc<Order>| order.point == name && order.scope.as_deref().is_none_or(|of| of == scope);
        orders.iter().filter(concerns).cloned().collect()
    }

    pub fn hit(name: &str) {
        for order in of(name, "") {
            let passed = match order.action {
                Action::Abort | Action::Pause(_) => order.passed.fetch_add(1, Ordering::SeqCst) + 1,
                Action::Fail | Action::Without => continue,
            };
            match &order.action {
                Action::Abort if passed == order.turn => std::process::abort(),
                Action::Pause(file) if passed == order.turn => pause(name, file),
                _ => {}
            }
        }
    }

    pub fn fails(name: &str, scope: &str) -> bool {
        let fails = |order: Arc<Order>| {
            let Action::Fail = order.action else { return false };
            (order.passed.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(order.turn.max(1))
        };
        // Every order counts, whatever another one says.
        of(name, scope).into_iter().map(fails).fold(false, |any, fails| any | fails)
    }

    pub fn guard_holds(name: &str, scope: &str) -> bool {
        !of(name, scope).iter().any(|order| matches!(order.action, Action::Without))
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

    /// Orders in force until this is dropped.
    #[must_use = "the orders end when this is dropped"]
    pub struct Armed(Vec<Arc<Order>>);

    impl Armed {
        /// How often their points were passed, in the order of the orders.
        #[must_use]
        pub fn passed(&self) -> Vec<usize> {
            self.0.iter().map(|order| order.passed.load(Ordering::SeqCst)).collect()
        }
    }

    impl Drop for Armed {
        fn drop(&mut self) {
            let mut orders = ORDERS.write().unwrap_or_else(PoisonError::into_inner);
            orders.retain(|order| !self.0.iter().any(|mine| Arc::ptr_eq(mine, order)));
        }
    }

    /// Gives orders to this process where it works in the scope, such as the URL of one test's database, so that tests that run side by
    /// side do not get in each other's way.
    pub fn arm(scope: &str, text: &str) -> Armed {
        let orders = read(text, Some(scope));
        ORDERS.write().unwrap_or_else(PoisonError::into_inner).extend(orders.iter().cloned());
        Armed(orders)
    }
}

#[cfg(debug_assertions)]
pub use orders::{Armed, arm};

/// A point at which a test may end or halt the process.
#[inline]
pub fn hit(name: &str) {
    #[cfg(debug_assertions)]
    orders::hit(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Whether a test wants the operation to fail at a point in a scope.
#[inline]
#[must_use]
pub fn fails(name: &str, scope: &str) -> bool {
    #[cfg(debug_assertions)]
    return orders::fails(name, scope);
    #[cfg(not(debug_assertions))]
    {
        let _ = (name, scope);
        false
    }
}

/// Whether a guard holds; always, unless a test left it out.
#[inline]
#[must_use]
pub fn guard_holds(name: &str) -> bool {
    guard_holds_in(name, "")
}

/// The same for a guard that a test leaves out in one scope.
#[inline]
#[must_use]
pub fn guard_holds_in(name: &str, scope: &str) -> bool {
    #[cfg(debug_assertions)]
    return orders::guard_holds(name, scope);
    #[cfg(not(debug_assertions))]
    {
        let _ = (name, scope);
        true
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn orders_apply_in_their_scope_until_they_are_dropped() {
        let armed = arm("here", "fail:test.point:3,without:test.guard");
        let fails: Vec<bool> = (0..6).map(|_| fails("test.point", "here")).collect();
        assert_eq!(fails, [false, false, true, false, false, true]);
        assert!(!super::fails("test.point", "elsewhere") && !super::fails("test.other", "here"));
        assert!(!guard_holds_in("test.guard", "here") && guard_holds_in("test.guard", "elsewhere"));
        assert_eq!(armed.passed(), [6, 0]);
        drop(armed);
        assert!(guard_holds_in("test.guard", "here") && !super::fails("test.point", "here"));
    }
}
