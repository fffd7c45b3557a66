//! How long to wait between tries. All with jitter (half to whole), so that many processes do not try in step.

use std::time::Duration;

/// Between the attempts of a fetch that someone waits for: 100 ms, doubling up to 2 s.
pub(super) fn foreground(attempt: u32) -> Duration {
    jittered(exponential(Duration::from_millis(100), attempt, Duration::from_secs(2)))
}

/// After a failed background fetch, while the value held still lives: in proportion to its life, so that even a token of a few seconds is
/// tried for more than once; 50 ms to 1 s at first, doubling up to 60 s.
pub(super) fn background(failures: u32, life: Duration) -> Duration {
    let first = (life / 32).clamp(Duration::from_millis(50), Duration::from_secs(1));
    jittered(exponential(first, failures, Duration::from_secs(60)))
}

/// Before a new fetch for a new caller: none after the first two failures, so that whoever mends a setting sees it at once; then 100 ms,
/// doubling up to 5 s where the failure may pass by itself and up to 30 s where it does not, so that a busy server with a wrong secret does
/// not hammer the workspace. Whoever asks in between gets the last failure at once; one that may pass by itself, once it has persisted.
pub(super) fn repeated(failures: u32, transient: bool) -> Duration {
    let longest = Duration::from_secs(if transient { 5 } else { 30 });
    match failures.checked_sub(2) {
        None | Some(0) => Duration::ZERO,
        Some(beyond) => jittered(exponential(Duration::from_millis(100), beyond, longest)),
    }
}

/// A server's `Retry-After`, and up to a quarter more of it (1 s at most): many processes that were told the same must not all come back at
/// the same moment.
pub(super) fn spread(retry_after: Duration) -> Duration {
    retry_after + (retry_after / 4).min(Duration::from_secs(1)).mul_f64(fastrand::f64())
}

/// `first` for the first time, doubled each further time, at most `longest`.
fn exponential(first: Duration, time: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << time.saturating_sub(1).min(20)).min(longest)
}

fn jittered(delay: Duration) -> Duration {
    delay.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_within_their_bounds() {
        for (attempt, whole) in [(1, 100), (2, 200), (5, 1600), (6, 2000), (u32::MAX, 2000)] {
            let delay = foreground(attempt).as_millis();
            assert!((whole / 2..=whole).contains(&delay), "{attempt}: {delay}");
        }
        assert!(background(1, Duration::from_secs(5)) <= Duration::from_millis(157));
        assert!(background(1, Duration::ZERO) >= Duration::from_millis(25));
        assert!(background(u32::MAX, Duration::from_secs(3600)) >= Duration::from_secs(30));
        assert_eq!(repeated(2, false), Duration::ZERO);
        assert!(repeated(3, false) >= Duration::from_millis(50));
        assert!(repeated(u32::MAX, false) >= Duration::from_secs(15) && repeated(u32::MAX, true) <= Duration::from_secs(5));
        let asked = Duration::from_secs(20);
        assert!(spread(asked) >= asked && spread(asked) <= asked + Duration::from_secs(1));
    }
}
