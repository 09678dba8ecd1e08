//! Rows that do not go over: what the source cannot carry, and what the sink refuses.

use serde_json::{Value, json};

use crate::harness::{Project, SPEC};
use crate::tables::{into_postgres, into_sqlite, postgres, with_sink};

/// The rows that were written down, by their keys.
fn rejects(project: &Project) -> Vec<Value> {
    let files = std::fs::read_dir(project.path(".pipeline/job/local/rejects")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let mut lines: Vec<Value> = texts
        .flat_map(|text| {
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect::<Vec<_>>()
        })
        .collect();
    lines.sort_by_key(|line| line["key"].to_string());
    lines
}

#[test]
fn a_bad_row_is_written_down_and_the_others_go_on() {
    let script = "create table T (Id integer primary key, Label text);\n\
                  with recursive n(i) as (select 1 union all select i + 1 from n where i < 250)\n\
                  insert into T select i, case when i in (7, 133) then 'a' || char(0) || 'b' else 'fine' end from n;";
    let project = into_postgres(script, "rejects");
    project.edit(SPEC, "mode: replace", "mode: replace, on_bad_row: reject");
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(
        run["account"]["rows"],
        json!({"read": 250, "written": 248, "rejected": 2, "per_second": run["account"]["rows"]["per_second"],
            "rejects": run["account"]["rows"]["rejects"]})
    );
    let folder = project.path(".pipeline/job/local/rejects");
    assert!(
        run["account"]["rows"]["rejects"]
            .as_str()
            .unwrap()
            .ends_with(".pipeline/job/local/rejects")
    );
    for command in ["report", "run"] {
        project
            .command([command, SPEC])
            .exits(0)
            .says("2 rows are not at the sink")
            .says("local/rejects`");
    }
    project.command(["status", SPEC]).says("2 rejected").says("`rejects`");
    project
        .command(["why", SPEC, "T"])
        .says("248 written, 2 rejected")
        .says("rejects/");
    let lines = rejects(&project);
    let mut keys: Vec<&str> = lines.iter().map(|line| line["key"]["Id"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["133", "7"]);
    assert!(lines.iter().all(|line| line["code"] == "database.value"), "{lines:?}");
    let crm = rusqlite::Connection::open(project.path("jobs/crm.sqlite")).unwrap();
    crm.execute("delete from T where Id > 100", []).unwrap();
    project
        .command(["run", SPEC, "--restart", "--only", "T", "--yes"])
        .exits(0)
        .says("1 row is not at the sink");
    assert_eq!(rejects(&project).len(), 1, "those of chunks that are no more go too");
    crm.execute("update T set Label = 'fine'", []).unwrap();
    drop(crm);
    project
        .command(["run", SPEC, "--restart", "--yes"])
        .exits(0)
        .hides("not at the sink");
    assert!(
        !folder.exists(),
        "what was rejected in a state that is forgotten is no more"
    );
    let project = into_postgres(script, "fails");
    project.run().exits(6);
}

/// 250 rows: two that no sink takes, two that the source cannot carry, one that is both.
const BAD: &str = r#"
create table T (Id integer primary key, Label text, Amount integer, Day date);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 250)
insert into T select i, case when i in (7, 133, 134) then 'a' || char(0) || 'b' else 'fine' end, i, '2024-02-29' from n;
update T set Amount = 'many' where Id = 20;
update T set Amount = 1.5, Day = 'someday' where Id in (21, 134);
"#;

#[test]
fn a_row_that_the_source_cannot_carry_is_written_down_like_one_that_the_sink_refuses() {
    let project = into_postgres(BAD, "unread");
    project
        .command(["plan", SPEC, "--probe"])
        .exits(0)
        .says("Label has 3 values with a NUL")
        .says("Amount has 3 values that cannot be carried")
        .says("Day has 2 values that cannot be carried");
    project.run().exits(6).says("`Amount`, declared `integer`, holds");
    with_sink(&project, "mode: replace, on_bad_row: reject");
    let run = project
        .command(["run", SPEC, "--json", "--accept-changes"])
        .exits(0)
        .json();
    let rows = &run["account"]["rows"];
    assert_eq!(
        [&rows["read"], &rows["written"], &rows["rejected"]],
        [250, 245, 5],
        "{run}"
    );
    let lines = rejects(&project);
    let told: Vec<(&str, &str)> = (lines.iter())
        .map(|line| (line["key"]["Id"].as_str().unwrap(), line["code"].as_str().unwrap()))
        .collect();
    let (unread, refused) = ("rows.value", "database.value");
    assert_eq!(
        told,
        [
            ("133", refused),
            ("134", unread),
            ("20", unread),
            ("21", unread),
            ("7", refused)
        ]
    );
    assert_eq!(
        lines[2]["row"],
        json!({ "Id": "20", "Label": "fine", "Day": "2024-02-29" }),
        "what is not known is not NULL"
    );
    assert_eq!(lines[3]["row"], json!({ "Id": "21", "Label": "fine" }));
    assert!(
        lines[2]["reason"]
            .as_str()
            .unwrap()
            .contains("holds a text that is no bigint"),
        "{lines:?}"
    );
    let psql = |text: &str| postgres().psql("unread", text);
    assert_eq!(psql("select count(*), sum(amount) from t"), "245|31060");
    for how in [&[][..], &["--checksum"]] {
        project
            .command([&["verify", SPEC], how].concat())
            .exits(0)
            .says("T → public.t: 245 rows on both sides, but for 5 rejected")
            .says("1 of 1 table equal")
            .says("5 rows were rejected on the way");
    }
    // A row that was put right by hand is there and no difference in number.
    psql("insert into t values (7, 'by hand', 7, null)");
    project.command(["verify", SPEC]).exits(0).says("but for 4 rejected");
    psql("delete from t where id = 7");
    let folder = project.path(".pipeline/job/local/rejects");
    let aside = project.path("rejects");
    std::fs::rename(&folder, &aside).unwrap();
    project
        .command(["verify", SPEC, "--checksum"])
        .exits(11)
        .says("0 of 5 rejected rows stand in")
        .says("compare by number");
    project.command(["verify", SPEC]).exits(0);
    std::fs::rename(&aside, &folder).unwrap();
    psql("update t set amount = 0 where id = 1");
    project.command(["verify", SPEC]).exits(0);
    project
        .command(["verify", SPEC, "--checksum"])
        .exits(11)
        .says("250 rows at the source, 245 at the sink, 5 rejected");
    psql("delete from t where id = 1");
    project
        .command(["verify", SPEC])
        .exits(11)
        .says("244 at the sink, 5 rejected");
}

#[test]
fn a_bad_line_of_a_file_is_written_down_with_its_number() {
    let project = into_sqlite("");
    let lines: String = (1..=1_000)
        .map(|id| {
            format!(
                "{id},{}\n",
                if id % 400 == 0 {
                    "n/a".to_owned()
                } else {
                    id.to_string()
                }
            )
        })
        .collect();
    project.write("jobs/lake/t.csv", format!("Id,Amount\n{lines}"));
    project.write(
        "jobs/lake/u.jsonl",
        "{\"Id\": 1, \"Day\": \"2024-02-29\"}\n{\"Id\": 2, \"Day\": \"2023-02-29\"}\n",
    );
    let connections = project.read("jobs/connections.toml");
    project.write(
        "jobs/connections.toml",
        format!("{connections}lake.fs = {{ root = \"lake\" }}\n"),
    );
    let spec = project.read(SPEC);
    let tables = spec
        .lines()
        .find(|line| line.trim_start().starts_with("tables:"))
        .unwrap();
    let lake = "  tables: { connection: lake, types: { Id: int64, Amount: int64, Day: date } }";
    project.write(
        SPEC,
        spec.replace(tables, lake)
            .replace("mode: replace", "mode: replace, on_bad_row: reject"),
    );
    let run = project.command(["run", SPEC, "--json"]).exits(0).json();
    assert_eq!(run["account"]["rows"]["rejected"], json!(3), "{run}");
    let told: Vec<String> = (rejects(&project).iter())
        .map(|line| line["reason"].as_str().unwrap().to_owned())
        .collect();
    for (file, line, column) in [
        ("t.csv", 401, "Amount"),
        ("t.csv", 801, "Amount"),
        ("u.jsonl", 2, "Day"),
    ] {
        let is_told = |reason: &String| reason.contains(&format!("line {line}: `{column}`")) && reason.contains(file);
        assert!(told.iter().any(is_told), "{file} {line}: {told:?}");
    }
}
