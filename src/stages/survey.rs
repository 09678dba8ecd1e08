use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};

use crate::connect::{ObjectInfo, Store};
use crate::model::Failure;
use crate::plan::AtSink;

/// What stands at the sink under a unit's name.
pub type Found = Result<Option<AtSink>, Failure>;

/// Below this many names one question each is cheaper than a listing.
const LISTING_MIN_NAMES: usize = 8;

/// A listing is given up when it returns this many times more objects than were asked about.
const LISTING_MAX_SURPLUS: usize = 4;

/// Looks up what stands at the sink under each of `names`, in their order, at most `concurrency` questions at once.
///
/// Names of one item mostly share a prefix (`1001-…`): where the store lists by prefix, one listing answers for all of them. Names that
/// share none are looked for in a listing of everything, whose bound makes it cheap to be wrong. A listing that is refused or too long falls
/// back to one question per name.
pub async fn survey(sink: &dyn Store, names: &[&str], concurrency: usize) -> Vec<Found> {
    if sink.lists_by_prefix() && names.len() >= LISTING_MIN_NAMES {
        let prefix = common_prefix(names);
        if let Some(found) = by_listing(sink, names, prefix).await {
            return found.into_iter().map(Ok).collect();
        }
    }
    let questions: Vec<_> = names.iter().map(|name| sink.stat(name)).collect();
    let answers = stream::iter(questions).buffered(concurrency.max(1));
    answers
        .map(|found| found.map(|found| found.as_ref().map(at_sink)))
        .collect()
        .await
}

async fn by_listing(sink: &dyn Store, names: &[&str], prefix: &str) -> Option<Vec<Option<AtSink>>> {
    let mut wanted: HashMap<&str, Option<AtSink>> = names.iter().map(|name| (*name, None)).collect();
    let mut objects = sink.list(prefix, None).await.ok()?;
    let mut listed = 0;
    while let Some(object) = objects.try_next().await.ok()? {
        listed += 1;
        if listed > names.len() * LISTING_MAX_SURPLUS + 1_000 {
            return None;
        }
        if let Some(found) = wanted.get_mut(object.name.as_str()) {
            *found = Some(at_sink(&object));
        }
    }
    Some(names.iter().map(|name| wanted[name]).collect())
}

fn at_sink(object: &ObjectInfo) -> AtSink {
    AtSink {
        size: object.size,
        modified: object.modified,
    }
}

/// The longest prefix of all names, ending between two characters.
fn common_prefix<'a>(names: &[&'a str]) -> &'a str {
    let Some((first, rest)) = names.split_first() else {
        return "";
    };
    let mut length = first.len();
    for name in rest {
        length = first
            .bytes()
            .zip(name.bytes())
            .take(length)
            .take_while(|(a, b)| a == b)
            .count();
    }
    while !first.is_char_boundary(length) {
        length -= 1;
    }
    &first[..length]
}

#[cfg(test)]
mod tests {
    use super::common_prefix;

    #[test]
    fn the_common_prefix_never_cuts_a_character() {
        assert_eq!(common_prefix(&["1001-a", "1001-b", "1001-"]), "1001-");
        assert_eq!(common_prefix(&["ä", "ö"]), "");
        assert_eq!(common_prefix(&["x", "y"]), "");
        assert_eq!(common_prefix(&["same"]), "same");
    }
}
