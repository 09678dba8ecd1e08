use serde_json::{Value, json};

use crate::model::{NodeSpeeds, Speed, format_bytes};

/// The nodes of the concurrency tree whose speed is bounded, in words: `files 100/s and 10 MiB/s in each item`.
pub(super) fn speeds(speeds: &NodeSpeeds) -> Option<String> {
    let nodes = [
        ("leaf work", speeds.leaves, "in the whole run"),
        ("items", speeds.items, "in the whole run"),
        ("files", speeds.units, "in each item"),
        ("parts", speeds.parts, "in each large file"),
    ];
    let bounded = nodes.iter().filter_map(|(what, speed, scope)| {
        let rate = speed.rate.map(|rate| format!("{rate}/s"));
        let bandwidth = speed.bandwidth.map(|bytes| format!("{}/s", format_bytes(bytes)));
        let bounds: Vec<String> = rate.into_iter().chain(bandwidth).collect();
        (!bounds.is_empty()).then(|| format!("{what} {} {scope}", bounds.join(" and ")))
    });
    let bounded: Vec<String> = bounded.collect();
    (!bounded.is_empty()).then(|| bounded.join(", "))
}

/// The same for programs: pieces and bytes in a second, null without a bound.
pub(super) fn speeds_json(speeds: &NodeSpeeds) -> Value {
    let node = |speed: Speed| json!({ "rate": speed.rate, "bandwidth": speed.bandwidth });
    json!({
        "leaves": node(speeds.leaves),
        "items": node(speeds.items),
        "units": node(speeds.units),
        "parts": node(speeds.parts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nodes_with_a_bound_are_named() {
        assert_eq!(speeds(&NodeSpeeds::default()), None);
        let bounded = NodeSpeeds {
            leaves: Speed {
                rate: Some(500.0),
                bandwidth: Some(50 << 20),
            },
            units: Speed {
                rate: Some(0.5),
                bandwidth: None,
            },
            ..NodeSpeeds::default()
        };
        assert_eq!(
            speeds(&bounded).unwrap(),
            "leaf work 500/s and 50 MiB/s in the whole run, files 0.5/s in each item"
        );
    }
}
