//! The ledger of sealed pages: append-only files of self-describing blocks, one block a page.
//!
//! Owns the encoding of a page, the block around it, and the files. Which block counts is the database's to say; where that is
//! lost, the last block of each page does.

mod block;
mod columns;
mod names;
mod reader;
mod writer;

pub(super) use block::Block;
pub(super) use names::{Names, narrow, shared_end};
pub(super) use reader::{BlockWalk, Walked, read_page};
pub(super) use writer::SegmentWriter;
