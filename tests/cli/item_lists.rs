use crate::harness::{Job, Project, SPEC};

fn with_items(list: impl AsRef<[u8]>) -> Project {
    let project = Job::new().create();
    project.write("jobs/data/items.csv", list);
    project
}

/// A list that must be refused as a whole, with these words.
#[track_caller]
fn refused(list: impl AsRef<[u8]>, words: &[&str]) {
    let project = with_items(list);
    for command in ["run", "plan"] {
        let output = project.command([command, SPEC]).exits(7);
        for words in words {
            output.clone().says(words);
        }
    }
    assert!(project.sink().is_empty());
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let project = with_items("\u{feff}Id\r\nitem-1\r\nitem-2\r\n");
    project.run().exits(0);
    assert_eq!(project.sink().len(), 6);
}

#[test]
fn a_quoted_field_may_hold_a_line_end_a_comma_and_quotes() {
    let project = with_items("Note,Id\n\"a\nb, \"\"c\"\"\",item-1\n");
    project.run().exits(0);
    assert_eq!(project.sink().len(), 3);
}

#[test]
fn a_row_with_a_field_too_many_is_named_by_its_line() {
    refused("Id\nitem-1\nitem-2,x\n", &["line 3"]);
    refused("Id,Note\n\"item\n1\",x\nitem-2\n", &["line 4"]);
}

#[test]
fn a_key_that_stands_twice_is_named_with_both_lines() {
    refused("Id\nitem-1\nitem-2\nitem-1\n", &["line 4", "line 2", "`item-1`"]);
}

#[test]
fn an_empty_key_is_named_by_its_line() {
    refused("Id,Note\nitem-1,a\n,b\n", &["line 3", "empty"]);
}

#[test]
fn a_missing_column_is_named_with_those_there_are() {
    refused("Identifier\nitem-1\n", &["`Id`", "Identifier"]);
}

#[test]
fn text_that_is_not_utf8_is_named_by_its_line() {
    refused(b"Id\nitem-1\nit\xffem\n", &["line 3"]);
}

#[test]
fn a_list_that_is_not_there_is_named() {
    let project = Job::new().create();
    project.remove("jobs/data/items.csv");
    project.run().exits(7).says("items.csv");
    assert!(project.sink().is_empty());
}

#[test]
fn an_empty_list_is_nothing_to_do() {
    let project = with_items("Id\n");
    project.run().exits(0);
    project.command(["plan", SPEC, "--detailed-exitcode"]).exits(0);
}

#[test]
fn one_list_of_files_that_cannot_be_read_is_one_failed_listing() {
    let project = Job::new().items(3).create();
    let list = project.read("jobs/data/lists/item-2.csv");
    project.remove("jobs/data/lists/item-2.csv");
    let plan = project.plan_json();
    assert_eq!(plan["inventory"]["failed_listings"][0]["item"], "item-2");
    assert_eq!(plan["inventory"]["decisions"]["copy"], 6);
    let output = project.run();
    assert!(output.code == Some(5) || output.code == Some(6), "{}", output.text());
    assert_eq!(project.sink().len(), 6, "the other items are done");
    project
        .command(["failures", SPEC])
        .exits(0)
        .says("item-2")
        .says("its file list");
    project.write("jobs/data/lists/item-2.csv", list);
    project.run().exits(0);
    assert_eq!(project.sink(), project.expected_sink());
}

#[test]
fn a_list_of_files_with_a_broken_row_fails_its_item_with_the_line() {
    let project = Job::new().items(2).create();
    project.write("jobs/data/lists/item-2.csv", "Path,Name,Size\nx/a,a,\nx/b,b\n");
    project.run().exits(6).says("line 3");
    assert_eq!(project.sink().len(), 3);
}
