use std::collections::HashSet;
use std::fmt::Write;

use crate::plan::{Edge, EdgeKind, Plan, Scope, Stage, StageKind};

use super::shown;
use super::text::line;

/// A way to draw the graph of stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GraphFormat {
    /// For a terminal.
    #[default]
    Tree,
    /// For Markdown pages that draw it.
    Mermaid,
    /// For Graphviz.
    Dot,
}

/// The graph of a plan's stages as text that ends with a line break.
pub fn graph(plan: &Plan, format: GraphFormat) -> String {
    match format {
        GraphFormat::Tree => Tree::draw(plan),
        GraphFormat::Mermaid => mermaid(plan),
        GraphFormat::Dot => dot(plan),
    }
}

/// How many of a stage run at once, and on what.
fn scope_and_limit(stage: &Stage) -> String {
    match stage.scope {
        Scope::Job => stage.scope.name().to_owned(),
        Scope::Unit if stage.kind == StageKind::Data => format!("each chunk, {} at once in each table", stage.limit),
        Scope::Item if stage.kind.is_of_tables() => format!("each table, {} at once", stage.limit),
        Scope::Item => format!("{}, {} at once", stage.scope.name(), stage.limit),
        Scope::Unit => format!("{}, {} at once in each item", stage.scope.name(), stage.limit),
    }
}

/// Draws each stage once, below the first stage that leads to it; a later edge to it is a line that names it.
struct Tree<'a> {
    plan: &'a Plan,
    drawn: HashSet<&'a str>,
    out: String,
}

impl<'a> Tree<'a> {
    fn draw(plan: &'a Plan) -> String {
        let mut tree = Self {
            plan,
            drawn: HashSet::new(),
            out: String::new(),
        };
        for root in plan.roots() {
            tree.stage(root, "", "", "");
        }
        tree.out
    }

    /// `branch` stands before the stage's own line, `indent` before all that follows.
    fn stage(&mut self, stage: &'a Stage, branch: &str, indent: &str, barrier: &str) {
        let name = shown(&stage.name);
        if !self.drawn.insert(&stage.name) {
            line(&mut self.out, format_args!("{branch}{name}{barrier} (see above)"));
            return;
        }
        let scope = scope_and_limit(stage);
        line(&mut self.out, format_args!("{branch}{name}{barrier}: {scope}"));
        let edges: Vec<&Edge> = self.plan.edges_from(&stage.name).collect();
        let text_indent = format!("{indent}{}  ", if edges.is_empty() { " " } else { "│" });
        line(&mut self.out, format_args!("{text_indent}{}", shown(&stage.what)));
        if let Some(effect) = &stage.effect {
            let what = shown(&effect.what);
            line(
                &mut self.out,
                format_args!("{text_indent}effect: {what}, {}:", effect.guarantee.name()),
            );
            line(&mut self.out, format_args!("{text_indent}  {}", shown(&effect.reason)));
        }
        let last = edges.len().saturating_sub(1);
        for (index, edge) in edges.into_iter().enumerate() {
            let Some(next) = self.plan.stage(&edge.to) else {
                continue;
            };
            let (branch, below) = if index == last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            let barrier = match edge.kind {
                EdgeKind::Each => "",
                EdgeKind::All => ", after all of the above",
            };
            self.stage(next, &format!("{indent}{branch}"), &format!("{indent}{below}"), barrier);
        }
    }
}

fn mermaid(plan: &Plan) -> String {
    let mut out = String::from("flowchart TD\n");
    for stage in &plan.stages {
        let label = label(stage, "<br/>", mermaid_text);
        line(
            &mut out,
            format_args!("  {}[\"{label}\"]", identifier(plan, &stage.name)),
        );
    }
    for edge in &plan.edges {
        let (from, to) = (identifier(plan, &edge.from), identifier(plan, &edge.to));
        match edge.kind {
            EdgeKind::Each => line(&mut out, format_args!("  {from} -->|each| {to}")),
            EdgeKind::All => line(&mut out, format_args!("  {from} ==>|all| {to}")),
        }
    }
    out
}

fn dot(plan: &Plan) -> String {
    let mut out = String::new();
    line(&mut out, format_args!("digraph \"{}\" {{", dot_text(&plan.job)));
    line(&mut out, format_args!("  node [shape=box];"));
    for stage in &plan.stages {
        let label = label(stage, "\\n", dot_text);
        line(
            &mut out,
            format_args!("  {} [label=\"{label}\"];", identifier(plan, &stage.name)),
        );
    }
    for edge in &plan.edges {
        let (from, to) = (identifier(plan, &edge.from), identifier(plan, &edge.to));
        let attributes = match edge.kind {
            EdgeKind::Each => "label=\"each\"",
            EdgeKind::All => "label=\"all\", style=bold",
        };
        line(&mut out, format_args!("  {from} -> {to} [{attributes}];"));
    }
    out.push_str("}\n");
    out
}

/// Both languages have words that are no names (`end`, `graph`), so stages are known by their place.
fn identifier(plan: &Plan, name: &str) -> String {
    let place = plan.stages.iter().position(|stage| stage.name == name);
    place.map_or_else(|| "unknown".to_owned(), |place| format!("stage{place}"))
}

fn label(stage: &Stage, line_break: &str, text: fn(&str) -> String) -> String {
    let mut label = format!("{}: {}", text(&stage.name), scope_and_limit(stage));
    // Writing to a `String` cannot fail.
    let _ = write!(label, "{line_break}{}", text(&stage.what));
    if let Some(effect) = &stage.effect {
        let _ = write!(
            label,
            "{line_break}effect: {}, {}",
            text(&effect.what),
            effect.guarantee.name()
        );
    }
    label
}

fn mermaid_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in shown(text).chars() {
        match character {
            '"' | '#' | '<' | '>' | '&' | '`' | '{' | '}' => {
                let _ = write!(out, "#{};", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

fn dot_text(text: &str) -> String {
    shown(text).replace('\\', r"\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plan::tests::plan;

    #[test]
    fn the_graph_for_a_terminal() {
        insta::assert_snapshot!(graph(&plan(), GraphFormat::Tree), @r#"
        items: once
        │  csv failed "items".csv of inputs
        └─ files: each item, 20 at once
           │  query of telemetry: select 1
           └─ copy, after all of the above: each file, 10 at once in each item
                 originals → results as {{item.WorkItemId}}-{{file.FileName}}, skip
                 effect: objects in results, exactly once:
                   an object becomes visible whole or not at all
        "#);
    }

    #[test]
    fn the_graph_for_drawing_programs() {
        insta::assert_snapshot!(graph(&plan(), GraphFormat::Mermaid), @r#"
        flowchart TD
          stage0["items: once<br/>csv failed #34;items#34;.csv of inputs"]
          stage1["files: each item, 20 at once<br/>query of telemetry: select 1"]
          stage2["copy: each file, 10 at once in each item<br/>originals → results as #123;#123;item.WorkItemId#125;#125;-#123;#123;file.FileName#125;#125;, skip<br/>effect: objects in results, exactly once"]
          stage0 -->|each| stage1
          stage1 ==>|all| stage2
        "#);
        insta::assert_snapshot!(graph(&plan(), GraphFormat::Dot), @r#"
        digraph "reupload" {
          node [shape=box];
          stage0 [label="items: once\ncsv failed \"items\".csv of inputs"];
          stage1 [label="files: each item, 20 at once\nquery of telemetry: select 1"];
          stage2 [label="copy: each file, 10 at once in each item\noriginals → results as {{item.WorkItemId}}-{{file.FileName}}, skip\neffect: objects in results, exactly once"];
          stage0 -> stage1 [label="each"];
          stage1 -> stage2 [label="all", style=bold];
        }
        "#);
    }

    #[test]
    fn a_stage_that_two_lead_to_is_drawn_once() {
        let mut plan = plan();
        plan.edges.push(Edge {
            from: "items".to_owned(),
            to: "copy".to_owned(),
            kind: EdgeKind::Each,
        });
        let text = graph(&plan, GraphFormat::Tree);
        assert_eq!(text.matches("effect:").count(), 1, "{text}");
        assert!(text.contains("└─ copy (see above)"), "{text}");
    }
}
