//! A plan on disk: what a run of it may do, item by item, and what each decision was made on.
//!
//! Owns the format and nothing else: what is compared with what is the engine's affair. Written and read as a stream of frames, so
//! that neither end holds more than one page of units.
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | `PLPN` |
//! | 4 | version of the format |
//! | then | frames: the head of the plan, each item's units in one frame or more, and an end that counts them |

mod columns;
mod error;
mod frame;
mod reader;
mod writer;

pub use error::PlanFileError;
pub use reader::PlanFile;
pub use writer::PlanFileWriter;

const MAGIC: [u8; 4] = *b"PLPN";
const VERSION: u8 = 1;
