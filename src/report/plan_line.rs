use crate::model::{format_bytes, format_count};
use crate::plan::Inventory;

use super::text::counted;

/// Bytes to write: `81 MiB`, `at least 81 MiB` where some files tell no size, `size unknown` where none does.
pub(super) fn bytes_to_write(inventory: &Inventory) -> String {
    let writes = inventory.count("copy") + inventory.count("overwrite");
    match inventory.sizes_unknown {
        0 => format_bytes(inventory.bytes),
        unknown if unknown >= writes => "size unknown".to_owned(),
        _ => format!("at least {}", format_bytes(inventory.bytes)),
    }
}

/// The line that sums a plan up: `Plan: 1,050 to copy (81 MiB), 12 present, 0 to overwrite, 0 refused`.
///
/// The bytes stand behind the one kind of work there is, or at the end where there are both; kinds that are rare are named only
/// when they occur.
pub(super) fn plan_line(inventory: &Inventory) -> String {
    let count = |decision| inventory.count(decision);
    let (copy, overwrite) = (count("copy"), count("overwrite"));
    let bytes = format!(" ({})", bytes_to_write(inventory));
    let bytes_when = |shown: bool| if shown { bytes.as_str() } else { "" };
    let mut line = format!(
        "Plan: {} to copy{}, {} present, {} to overwrite{}, {} refused",
        format_count(copy),
        bytes_when(copy > 0 && overwrite == 0),
        format_count(count("present")),
        format_count(overwrite),
        bytes_when(copy == 0 && overwrite > 0),
        format_count(count("refuse")),
    );
    for (decision, label) in [("compare", "to compare"), ("settled", "settled")] {
        if count(decision) > 0 {
            line.push_str(&format!(", {} {label}", format_count(count(decision))));
        }
    }
    let messages = inventory.messages_to_send();
    if messages > 0 {
        line.push_str(&format!(", {} to send", counted(messages, "message", "messages")));
    }
    let unlisted = inventory.failed_listings.len() as u64;
    if unlisted > 0 {
        line.push_str(&format!(", {} not listed", counted(unlisted, "item", "items")));
    }
    if copy > 0 && overwrite > 0 {
        line.push_str(&format!("; {} to write", bytes_to_write(inventory)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;

    fn inventory(decisions: &[(&'static str, u64)], bytes: u64, sizes_unknown: u64) -> Inventory {
        Inventory {
            decisions: decisions.iter().copied().collect(),
            bytes,
            sizes_unknown,
            ..Inventory::default()
        }
    }

    #[test]
    fn the_line_of_a_plan() {
        let line = |decisions: &[_], bytes, unknown| plan_line(&inventory(decisions, bytes, unknown));
        assert_eq!(
            line(&[("copy", 1_050), ("present", 12)], 81 << 20, 0),
            "Plan: 1,050 to copy (81 MiB), 12 present, 0 to overwrite, 0 refused"
        );
        assert_eq!(
            line(&[("copy", 1_050)], 0, 1_050),
            "Plan: 1,050 to copy (size unknown), 0 present, 0 to overwrite, 0 refused"
        );
        assert_eq!(
            line(&[("copy", 3), ("compare", 3), ("settled", 1_000)], 81 << 20, 1),
            "Plan: 3 to copy (at least 81 MiB), 0 present, 0 to overwrite, 0 refused, 3 to compare, 1,000 settled"
        );
        assert_eq!(
            line(&[("overwrite", 2), ("refuse", 1)], 10, 0),
            "Plan: 0 to copy, 0 present, 2 to overwrite (10 B), 1 refused"
        );
        assert_eq!(
            line(&[("overwrite", 2), ("copy", 1)], 10, 0),
            "Plan: 1 to copy, 0 present, 2 to overwrite, 0 refused; 10 B to write"
        );
        assert_eq!(line(&[], 0, 0), "Plan: 0 to copy, 0 present, 0 to overwrite, 0 refused");
    }

    #[test]
    fn messages_are_work_though_every_file_is_settled() {
        let mut inventory = inventory(&[("settled", 3)], 0, 0);
        inventory.messages = [("notify".to_owned(), 2), ("archive".to_owned(), 1)].into();
        assert!(plan_line(&inventory).ends_with("0 refused, 3 settled, 3 messages to send"));
        assert!(inventory.has_work());
    }

    #[test]
    fn items_that_could_not_be_listed_are_not_passed_over() {
        let mut inventory = inventory(&[], 0, 0);
        let failure = Failure::transient("store.timeout", "no answer");
        inventory.failed_listings.push(("WI-1".to_owned(), failure));
        assert!(plan_line(&inventory).ends_with("0 refused, 1 item not listed"));
    }
}
