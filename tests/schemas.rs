//! The checked-in schemas are those that the wire types generate.

use std::path::Path;

use pipeline::spec::schema;

#[test]
fn the_checked_in_schemas_are_those_of_this_version() {
    let schemas = schema();
    for (name, text) in [
        ("job.schema.json", schemas.job),
        ("connections.schema.json", schemas.connections),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == text,
            "schemas/{name} is not up to date; run `UPDATE_SCHEMAS=1 cargo test --test schemas`"
        );
    }
}
