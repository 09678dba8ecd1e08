use std::collections::BTreeMap;

use crate::model::Concurrency;

/// The compiled graph of stages: static, built without touching the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub job: String,
    pub profile: String,
    /// In an order in which every stage stands behind those it depends on.
    pub stages: Vec<Stage>,
    pub edges: Vec<Edge>,
    pub concurrency: Concurrency,
    /// By stage name: a digest of what decides what "done" means there.
    pub fingerprints: BTreeMap<String, String>,
}

impl Plan {
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// Stages that nothing leads to.
    pub fn roots(&self) -> impl Iterator<Item = &Stage> {
        self.stages
            .iter()
            .filter(|stage| !self.edges.iter().any(|edge| edge.to == stage.name))
    }

    /// Edges that leave a stage.
    pub fn edges_from<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Edge> {
        self.edges.iter().filter(move |edge| edge.from == name)
    }
}

/// One kind of work with a scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The documented name, as `--stage` takes it: `items`, `files`, `copy`.
    pub name: String,
    pub kind: StageKind,
    pub scope: Scope,
    /// What it reads or writes, for people: `csv failed_workitems.csv of inputs`.
    pub what: String,
    /// What it changes outside, if anything.
    pub effect: Option<Effect>,
    /// How many of it may run at once: in the whole run for job and item scope, in each item for unit scope.
    pub limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageKind {
    Items,
    Files,
    Copy,
    Notify,
    Tables,
    Schema,
    Data,
    Constraints,
}

impl StageKind {
    /// Whether it is a stage of jobs of tables.
    pub fn is_of_tables(self) -> bool {
        matches!(self, Self::Tables | Self::Schema | Self::Data | Self::Constraints)
    }
}

/// What one instance of a stage works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Job,
    Item,
    Unit,
}

impl Scope {
    pub fn name(self) -> &'static str {
        match self {
            Self::Job => "once",
            Self::Item => "each item",
            Self::Unit => "each file",
        }
    }
}

/// Something that a stage changes outside, and what is promised about it under `kill -9`.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// `objects in results`
    pub what: String,
    pub guarantee: Guarantee,
    /// Why that guarantee holds, in one sentence.
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    ExactlyOnce,
    AtLeastOnce,
}

impl Guarantee {
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly once",
            Self::AtLeastOnce => "at least once",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub kind: EdgeKind,
}

/// When the stage at the end of an edge may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeKind {
    /// A unit or item goes on as soon as it is ready.
    Each,
    /// A barrier: all of them first.
    All,
}
