//! One file per kind of work: rows of a source, the units of an item, the survey of the sink, copy, compare, check.
//!
//! A stage does its work once and tells how it went. It knows nothing of attempts, permits, other units or state: that is the engine's.

mod check;
mod compare;
mod copy;
mod hasher;
mod rows;
mod survey;
pub mod tables;
mod units;

pub use check::{Check, Verdict, check};
pub use compare::{Comparison, compare};
pub use copy::{Copied, CopyRequest, Room, copy};
pub use hasher::Hasher;
pub use rows::open_rows;
pub use survey::survey;
pub use units::{UnitDraft, UnitNaming};
