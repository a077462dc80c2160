//! When to ask a model again, and how long to wait before. Pure: it neither waits nor asks, and randomness
//! is passed in.

use std::time::Duration;

use super::ModelError;

/// How often and how soon a request is tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Attempts at most, the first included.
    pub attempts: u32,
    /// The wait after the first attempt; it doubles with each that follows.
    pub first: Duration,
    /// The longest wait. Where a provider asks for more, the failure stands: to come sooner than asked is
    /// to be refused again.
    pub most: Duration,
    /// The share of a wait that is left to chance, from 0 to 1, so that those who failed together do not
    /// come back together.
    pub jitter: f64,
}

impl Default for Backoff {
    /// Four attempts within some ten seconds, or within three minutes where a provider asks for it: limits
    /// on requests are counted by the minute.
    fn default() -> Self {
        Self { attempts: 4, first: Duration::from_secs(1), most: Duration::from_mins(1), jitter: 0.5 }
    }
}

impl Backoff {
    /// How long to wait after an attempt that failed with `error`; `None`: the failure stands. The first
    /// attempt is 1, and `random` is from 0 to 1.
    ///
    /// No wait is longer than [`most`](Self::most), and none is shorter than the provider asks for.
    #[must_use]
    pub fn delay(&self, attempt: u32, error: &ModelError, random: f64) -> Option<Duration> {
        if attempt >= self.attempts || !error.kind.is_passing() {
            return None;
        }
        let asked = error.retry_after.unwrap_or_default();
        if asked > self.most {
            return None;
        }
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let wait = self.first.saturating_mul(doubled).min(self.most);
        let share = |part: f64| if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        let wait = wait.mul_f64(1.0 - share(self.jitter) * share(random));
        Some(wait.max(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::ModelErrorKind;

    const BACKOFF: Backoff =
        Backoff { attempts: 5, first: Duration::from_secs(1), most: Duration::from_secs(6), jitter: 0.5 };

    fn failure(kind: ModelErrorKind, retry_after: Option<u64>) -> ModelError {
        ModelError { retry_after: retry_after.map(Duration::from_secs), ..ModelError::new(kind, "") }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let error = failure(ModelErrorKind::Unavailable, None);
        let waits: Vec<_> =
            (1..=6).map(|attempt| BACKOFF.delay(attempt, &error, 0.0).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(4), Some(6), None, None]);
        let many = Backoff { attempts: u32::MAX, ..BACKOFF };
        assert_eq!(many.delay(u32::MAX - 1, &error, 0.0), Some(BACKOFF.most));
    }

    #[test]
    fn chance_shortens_a_wait_and_never_below_what_is_asked() {
        let error = failure(ModelErrorKind::RateLimited, None);
        assert_eq!(BACKOFF.delay(2, &error, 1.0), Some(Duration::from_secs(1)));
        assert_eq!(BACKOFF.delay(2, &error, f64::NAN), Some(Duration::from_secs(2)));
        let asked = failure(ModelErrorKind::RateLimited, Some(5));
        assert_eq!(BACKOFF.delay(1, &asked, 1.0), Some(Duration::from_secs(5)));
        assert_eq!(BACKOFF.delay(1, &failure(ModelErrorKind::RateLimited, Some(7)), 0.0), None);
    }

    #[test]
    fn what_does_not_pass_is_not_tried_again() {
        for kind in [ModelErrorKind::Refused, ModelErrorKind::Unauthorized, ModelErrorKind::UnknownModel] {
            assert_eq!(BACKOFF.delay(1, &failure(kind, None), 0.0), None, "{kind}");
        }
    }
}
