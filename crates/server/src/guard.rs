//! The disk guard: a nearly full disk stops intake visibly and lets it go on by itself (DESIGN §7). Owns: the threshold and the two words.

use std::{sync::Arc, time::Duration};

use store::Space;

use crate::site::Site;

/// So much of the disk stays free, at least [`FREE_BYTES_MIN`].
const FREE_PERCENT: u64 = 5;
const FREE_BYTES_MIN: u64 = 256 << 20;
/// Intake goes on when a tenth more than that is free: no flapping.
const AGAIN_PERCENT: u64 = 110;
/// How often it looks.
const EVERY: Duration = Duration::from_secs(2);

/// What must stay free of a disk of this size.
pub fn floor(total: u64) -> u64 {
    (total / 100 * FREE_PERCENT).max(FREE_BYTES_MIN)
}

/// Whether intake must stand still, given whether it does now.
pub fn must_pause(space: Space, paused: bool) -> bool {
    let floor = floor(space.total);
    space.free < if paused { floor / 100 * AGAIN_PERCENT } else { floor }
}

/// Why intake stands still, and what to do.
pub fn why(space: Space) -> String {
    format!("the disk is nearly full: {} MiB free, {} MiB must stay free; make room", space.free >> 20, floor(space.total) >> 20)
}

/// Watches until it is dropped.
pub async fn run(site: Arc<Site>) {
    let mut paused = false;
    loop {
        paused = look(&site, paused);
        tokio::time::sleep(EVERY).await;
    }
}

/// Looks once; gives whether intake stands still because of the disk.
fn look(site: &Site, paused: bool) -> bool {
    let store = site.evidences.store();
    let Ok(space) = store.space() else { return paused };
    let full = must_pause(space, paused);
    match (full, paused) {
        (true, false) => {
            let why = format!("{}; intake goes on by itself then, nothing is lost meanwhile", why(space));
            tracing::error!("intake stopped: {why}");
            store.pause(&why);
            store.append_own("gap", serde_json::json!({"what": "intake stopped", "why": &why}));
        }
        (false, true) => {
            tracing::warn!("intake goes on: there is room again");
            store.resume();
            store.append_own("gap", serde_json::json!({"what": "intake goes on"}));
        }
        _ => {}
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_percent_and_at_least_a_quarter_gibibyte() {
        let space = |free: u64, total: u64| Space { free, total };
        assert!(!must_pause(space(6 << 30, 100 << 30), false));
        assert!(must_pause(space(4 << 30, 100 << 30), false));
        assert!(must_pause(space(5300 << 20, 100 << 30), true), "no flapping");
        assert!(!must_pause(space(6 << 30, 100 << 30), true));
        assert!(must_pause(space(200 << 20, 1 << 30), false));
        assert!(!must_pause(space(300 << 20, 1 << 30), false));
    }
}
