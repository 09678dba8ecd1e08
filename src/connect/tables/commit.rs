//! A commit whose answer never came.

use crate::model::{Failure, FailureClass};

/// The code of a chunk of which nobody knows whether it is there: the connection broke while it was being committed.
pub const OUTCOME_UNKNOWN: &str = "database.outcome_unknown";

/// Tells a commit that was not answered from one that was refused: what was refused is not there, and may be repeated.
pub fn committed<T>(answer: Result<T, Failure>) -> Result<T, Failure> {
    answer.map_err(|failure| {
        if failure.code != "database.connection" {
            return failure;
        }
        let message = format!(
            "the connection broke while rows were being committed, and whether they are there is not known: {}",
            failure.message
        );
        Failure::new(FailureClass::Transient, OUTCOME_UNKNOWN, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_answered_is_unknown() {
        let code = |code: &'static str| {
            let answer: Result<(), Failure> = committed(Err(Failure::transient(code, "x")));
            answer.unwrap_err().code
        };
        assert_eq!(code("database.connection"), OUTCOME_UNKNOWN);
        assert_eq!(code("database.deadlock"), "database.deadlock");
        assert_eq!(committed(Ok(1)), Ok(1));
    }
}
