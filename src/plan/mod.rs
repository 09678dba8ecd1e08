//! Pure: from a resolved job to the graph of its stages, and from what is known about a unit to what happens to it.
//!
//! Touches no network, no state folder and no clock. `plan` shows what this floor decides, `run` does it: both call [`decide`].

mod collision;
mod compile;
mod compile_tables;
mod decide;
mod drift;
mod fingerprint;
mod graph;
mod inventory;
mod table_plan;

pub use collision::{Collision, CollisionKind, collision_form};
pub use compile::compile;
pub use decide::{AtSink, Decision, Known, Offer, decide, is_different};
pub use drift::{Seen, drift, drifted, messages_digest, planned};
pub use fingerprint::{Change, changes, fingerprints};
pub use graph::{Edge, EdgeKind, Effect, Guarantee, Plan, Scope, Stage, StageKind};
pub use inventory::{Inventory, Sample, UnitDecision};
pub use table_plan::{ProbedColumn, TableChoice, TableDecision};
