//! Web servers as stores: plain ones, which can be read by path, and WebDAV, which is a folder.
//! <https://www.rfc-editor.org/rfc/rfc9110>, <https://www.rfc-editor.org/rfc/rfc4918>

mod client;
mod error;
mod http;
mod multistatus;
mod webdav;
mod write;

pub(in crate::connect) use self::http::HttpStore;
pub(in crate::connect) use webdav::WebdavStore;
