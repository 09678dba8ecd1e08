//! What templates give, and that Handlebars gives the same.
#![cfg(test)]

use proptest::prelude::*;

use super::*;
use crate::model::Row;

fn row(fields: &[(&str, Value)]) -> Row {
    let columns: Vec<String> = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
    Row::new(columns.into(), fields.iter().map(|(_, value)| value.clone()).collect())
}

fn rendered(template: &str, item: &Row) -> Result<Value, Failure> {
    let scope = Scope {
        item: Some(item),
        ..Scope::default()
    };
    Template::parse(template).unwrap().render(&scope)
}

fn text(template: &str, value: &str) -> String {
    let item = row(&[("X", Value::from(value))]);
    rendered(template, &item).unwrap().to_string()
}

fn code(result: Result<Value, Failure>) -> String {
    result.unwrap_err().code.into_owned()
}

#[test]
fn exactly_one_path_keeps_its_type() {
    let item = row(&[
        ("N", Value::Integer(7)),
        ("Null", Value::Null),
        ("B", Value::Boolean(true)),
    ]);
    assert_eq!(rendered("{{item.N}}", &item), Ok(Value::Integer(7)));
    assert_eq!(rendered("{{item.Null}}", &item), Ok(Value::Null));
    assert_eq!(rendered("{{ item.B }}", &item), Ok(Value::Boolean(true)));
    assert_eq!(rendered("{{item.N}}-{{item.B}}", &item), Ok(Value::from("7-true")));
    assert_eq!(rendered("no template", &item), Ok(Value::from("no template")));
}

#[test]
fn null_in_a_text_and_unknown_fields_are_failures() {
    let item = row(&[("A", Value::Null), ("B", Value::from("b"))]);
    assert_eq!(code(rendered("x{{item.A}}", &item)), "template.null");
    assert_eq!(code(rendered("{{lower item.A}}", &item)), "template.null");
    assert_eq!(code(rendered("{{item.A}}{{lower item.B}}", &item)), "template.null");
    assert_eq!(code(rendered("{{file.A}}", &item)), "template.unknown_field");
    let failure = rendered("{{upper item.C}}", &item).unwrap_err();
    assert_eq!(failure.code, "template.unknown_field");
    assert!(failure.message.contains("`A`, `B`"), "{failure}");
    let scope = Scope {
        item: Some(&item),
        ..Scope::default()
    };
    let failure = Template::parse("{{item.A}}").unwrap().render_text(&scope).unwrap_err();
    assert_eq!(failure.code, "template.null");
    assert_eq!(rendered("{{default item.A item.B}}", &item), Ok(Value::from("b")));
}

#[test]
fn helpers_change_values() {
    assert_eq!(text("{{lower item.X}}", "ÀB"), "àb");
    assert_eq!(text("{{upper item.X}}", "straße"), "STRASSE");
    assert_eq!(text("{{snake item.X}}", "WorkItemId"), "work_item_id");
    assert_eq!(text("{{snake item.X}}", "HTTPServer v2-x"), "http_server_v2_x");
    assert_eq!(text("{{basename item.X}}", "a/b\\c.tar.gz"), "c.tar.gz");
    assert_eq!(text("{{stem item.X}}.{{ext item.X}}", "a/c.tar.gz"), "c.tar.gz");
    assert_eq!(text("{{stem item.X}}|{{ext item.X}}", "a/.hidden"), ".hidden|");
    assert_eq!(text("{{default item.X \"none\"}}", ""), "none");
    assert_eq!(text("{{replace item.X \"/\" \"_\"}}", "a/b/c"), "a_b_c");
    assert_eq!(text("{{pad item.X 5}}", "42"), "00042");
    assert_eq!(text("{{pad item.X 4 \" \"}}", "é"), "   é");
    assert_eq!(text("{{date item.X \"%Y/%m\"}}", "2024-02-29T23:30:00Z"), "2024/02");
    assert_eq!(text("{{date item.X \"%Y-%m-%d\"}}", "0"), "1970-01-01");
    assert_eq!(text("{{date item.X \"%d\"}}", "2024-02-29 10:00:00"), "29");
    assert_eq!(text("{{hash item.X}}", "abc"), "ba7816bf8f01cfea");
    assert_eq!(text("{{hash item.X 4}}", "abc"), "ba78");
    assert_eq!(text("{{lower (basename item.X)}}", "a/B"), "b");
    assert_eq!(text("{{item.X}}", "<a & 'b'>"), "<a & 'b'>");
    assert_eq!(text("{{lower item.X}}&", "<A & 'B'>"), "<a & 'b'>&");
}

#[test]
fn the_path_of_a_uri_is_decoded_and_whole() {
    let path = |uri| text("{{url_path item.X}}", uri);
    assert_eq!(
        path("https://a.blob.core.windows.net/c/d/report%20%C3%BC.pdf?sv=1&sig=x#f"),
        "c/d/report ü.pdf"
    );
    assert_eq!(path("s3://bucket/key%2Bone"), "key+one");
    assert_eq!(path("https://host"), "");
    assert_eq!(path("/a/100%25.txt"), "a/100%.txt");
    assert_eq!(path("a b/c#1.txt"), "a b/c#1.txt");
    let item = row(&[("X", Value::from("https://h/%ff"))]);
    assert_eq!(code(rendered("{{url_path item.X}}", &item)), "template.helper");
}

#[test]
fn helpers_refuse_what_they_cannot_take() {
    let item = row(&[("X", Value::from("x"))]);
    for template in [
        "{{pad item.X 100000}}",
        "{{pad item.X 2 \"ab\"}}",
        "{{date item.X \"%Y\"}}",
        "{{hash item.X 65}}",
    ] {
        assert_eq!(code(rendered(template, &item)), "template.helper", "{template}");
    }
    let item = row(&[("X", Value::from("2024-01-01"))]);
    assert_eq!(code(rendered("{{date item.X \"%\"}}", &item)), "template.helper");
}

#[test]
fn what_is_no_template_is_refused_when_parsed() {
    for wrong in [
        "{{item.X",
        "{{item}}",
        "{{lower}}",
        "{{lower item.X item.Y}}",
        "{{nope item.X}}",
        "{{item.X.Y}}",
        "{{this}}",
        "{{../item.X}}",
        "{{@root.item}}",
        "{{#if item.X}}a{{/if}}",
        "{{> partial}}",
        "{{each item.X}}",
        "{{lookup item \"X\"}}",
        "{{lower x=item.X}}",
        "{{lower (nope item.X)}}",
    ] {
        assert!(Template::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn references_are_found_wherever_they_stand() {
    let template = Template::parse("{{item.A}}{{lower (default file.B item.[C d])}}").unwrap();
    let found: Vec<String> = template
        .references()
        .iter()
        .map(|reference| format!("{}.{}", reference.prefix, reference.field))
        .collect();
    assert_eq!(found, ["item.A", "file.B", "item.C d"]);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Value::Number),
        any::<String>().prop_map(Value::Text),
        Just(Value::Null),
    ]
}

proptest! {
    /// What Handlebars itself makes of a template of values, strict and without escaping, is what we make of it.
    #[test]
    fn values_are_rendered_as_handlebars_does(before in "[^{\\\\]*", between in "[^{\\\\]*", first in any_value(), second in any_value()) {
        let source = format!("{before}{{{{item.A}}}}{between}{{{{file.B}}}}");
        let mut engine = handlebars::Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_escape_fn(handlebars::no_escape);
        let data = serde_json::json!({"item": {"A": first.to_string()}, "file": {"B": second.to_string()}});
        let has_null = [&first, &second].contains(&&Value::Null);
        let (item, file) = (row(&[("A", first)]), row(&[("B", second)]));
        let scope = Scope { item: Some(&item), file: Some(&file), ..Scope::default() };
        match Template::parse(&source).unwrap().render(&scope) {
            Ok(value) => prop_assert_eq!(value.to_string(), engine.render_template(&source, &data).unwrap()),
            Err(failure) => prop_assert!(has_null && failure.code == "template.null"),
        }
    }

    #[test]
    fn no_text_makes_parsing_or_rendering_panic(source in "\\PC{0,40}", braces in "(\\{\\{|\\}\\}|[a-z. \"()/#>@]){0,12}", value in any_value()) {
        let item = row(&[("x", value)]);
        for source in [source, braces] {
            if let Ok(template) = Template::parse(&source) {
                let _ = template.render_text(&Scope { item: Some(&item), ..Scope::default() });
            }
        }
    }

    #[test]
    fn no_value_makes_a_helper_panic(value in any_value(), other in any_value()) {
        let item = row(&[("x", value), ("y", other)]);
        for source in [
            "{{snake item.x}}", "{{stem item.x}}{{ext item.x}}", "{{url_path item.x}}", "{{pad item.x item.y item.x}}",
            "{{date item.x item.y}}", "{{hash item.x item.y}}", "{{replace item.x item.y item.x}}",
        ] {
            let _ = Template::parse(source).unwrap().render(&Scope { item: Some(&item), ..Scope::default() });
        }
    }
}
