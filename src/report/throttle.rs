use crate::model::{Throttle, format_count};

use super::shown;
use super::text::counted;

/// A throttle that is in force: `copy 37/64, limited by 503 from results`.
pub fn limited(throttle: &Throttle) -> String {
    let (limit, ceiling) = (format_count(throttle.limit), format_count(throttle.ceiling));
    let (stage, connection) = (shown(&throttle.stage), shown(&throttle.connection));
    format!(
        "{stage} {limit}/{ceiling}, limited by {} from {connection}",
        shown(&throttle.answer)
    )
}

/// What throttling came to in a run: `copy down to 8/64 by 503 from results, cut 3 times`.
pub(super) fn throttled(throttle: &Throttle) -> String {
    let (lowest, ceiling) = (format_count(throttle.lowest), format_count(throttle.ceiling));
    let (stage, connection) = (shown(&throttle.stage), shown(&throttle.connection));
    let cuts = counted(throttle.cuts, "time", "times");
    format!(
        "{stage} down to {lowest}/{ceiling} by {} from {connection}, cut {cuts}",
        shown(&throttle.answer)
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn throttle() -> Throttle {
        Throttle {
            stage: "copy".to_owned(),
            connection: "results".to_owned(),
            limit: 37,
            ceiling: 64,
            lowest: 8,
            cuts: 3,
            answer: "503".to_owned(),
        }
    }

    #[test]
    fn it_says_what_is_limited_how_far_and_by_whom() {
        assert_eq!(limited(&throttle()), "copy 37/64, limited by 503 from results");
        assert_eq!(
            throttled(&throttle()),
            "copy down to 8/64 by 503 from results, cut 3 times"
        );
    }
}
