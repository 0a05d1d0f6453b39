//! What is watched of this service: how far figures are behind the facts, and what is in memory.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use insights_service::{WatchedLevel, connections};

use crate::cubes::Cubes;
use crate::feed::Feed;
use crate::rollups::Store;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(15);

/// Looks from time to time, without end.
pub async fn keep_looking(store: Store, feed: Feed, cubes: Cubes) -> ! {
    let behind = WatchedLevel::new(
        "insights.figures.behind",
        "s",
        "How long the figures of a partner have been behind its facts",
    );
    let partners =
        WatchedLevel::new("insights.partners.behind", "{partner}", "Partners whose figures are behind their facts");
    let loaded = WatchedLevel::new("insights.cubes", "{partner}", "Partners whose figures are in memory");
    let mut since: HashMap<String, (i64, Instant)> = HashMap::new();
    loop {
        match (feed.heads().await, store.list_versions().await) {
            (Ok(heads), Ok(versions)) => {
                let heads = heads.into_iter().map(|head| (head.partner, head.version));
                note(&mut since, heads, &versions.into_iter().collect(), Instant::now());
            }
            // What was behind stays so, and longer.
            (Err(error), _) => tracing::debug!(%error, "ingestion does not say how far it is"),
            (_, Err(error)) => tracing::debug!(%error, "the rollups do not say how far they are"),
        }
        let longest = since.values().map(|(_, since)| since.elapsed().as_secs_f64()).fold(0.0, f64::max);
        behind.set(longest, &[]);
        partners.set(since.len() as f64, &[]);
        loaded.set(cubes.loaded() as f64, &[]);
        let pool = store.database().connections();
        connections("metrics", pool.used, pool.most);
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Notes since when each partner has not shown a version that was there then.
fn note(
    since: &mut HashMap<String, (i64, Instant)>,
    heads: impl Iterator<Item = (String, i64)>,
    versions: &HashMap<String, i64>,
    now: Instant,
) {
    let mut still = HashMap::new();
    for (partner, head) in heads {
        let shown = versions.get(&partner).copied().unwrap_or_default();
        if shown >= head {
            continue;
        }
        let known = since.get(&partner).copied().filter(|(wanted, _)| shown < *wanted);
        still.insert(partner, known.unwrap_or((head, now)));
    }
    *since = still;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_is_behind_since_a_version_that_it_does_not_show() {
        let (start, mut since) = (Instant::now(), HashMap::new());
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut look = |head: i64, shown: i64, at: Instant| {
            note(&mut since, [("p".to_owned(), head)].into_iter(), &HashMap::from([("p".to_owned(), shown)]), at);
            since.get("p").copied()
        };
        assert_eq!(look(5, 5, start), None);
        assert_eq!(look(6, 5, start), Some((6, start)));
        assert_eq!(look(9, 5, later(10)), Some((6, start)), "still the same it waits for");
        assert_eq!(look(12, 8, later(20)), Some((12, later(20))), "what it waited for is shown, newer is not");
        assert_eq!(look(12, 12, later(30)), None);
    }
}
