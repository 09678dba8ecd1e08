//! Stores reached through OpenDAL: Azure Blob and Data Lake Storage, S3 and compatible ones, Google Cloud Storage, and the memory of this process.
//!
//! The only code that names OpenDAL. It goes out of its way where OpenDAL would change a name, leave out metadata, or repeat a call
//! that the engine repeats itself.

mod answer;
mod error;
mod open;
mod store;
mod writer;

pub(in crate::connect) use open::{OnRepeat, azblob, azdls, gcs, memory, s3};
