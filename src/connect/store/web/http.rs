use std::ops::Range;

use ::http::{Method, StatusCode};
use futures::StreamExt;
use futures::future::BoxFuture;

use super::super::meaning::{self, Action, NOT_FOUND};
use super::super::name::NameRules;
use super::super::{ByteStream, ObjectInfo, ObjectStream, ObjectWriter, Store, WriteRequest, exact};
use super::client::WebClient;
use super::error;
use crate::model::{ConnectionConfig, Failure, WebCredentials};

/// What a web server has below an address: read by path, neither listed nor written.
pub(in crate::connect) struct HttpStore {
    client: WebClient,
}

impl HttpStore {
    pub(in crate::connect) async fn open(
        config: &ConnectionConfig,
        endpoint: &str,
        credentials: &WebCredentials,
    ) -> Result<Self, Failure> {
        // Published files often move to another host; credentials stay behind when a reader follows.
        let client = WebClient::open(config, endpoint, credentials, true).await?;
        Ok(Self { client })
    }

    async fn read_body(&self, name: &str, range: Option<Range<u64>>) -> Result<(ObjectInfo, ByteStream), Failure> {
        self.check_name(name)?;
        if let Some(range) = range.as_ref().filter(|range| range.start >= range.end) {
            return read_nothing(self.client.head(Action::Read, name).await?, name, range);
        }
        self.client.read(name, range).await
    }
}

/// No request can ask for no bytes, so the object is only looked at.
pub(super) fn read_nothing(
    info: Option<ObjectInfo>,
    name: &str,
    range: &Range<u64>,
) -> Result<(ObjectInfo, ByteStream), Failure> {
    let info = info.ok_or_else(|| meaning::failure(Action::Read, name, NOT_FOUND, ""))?;
    if range.end > info.size {
        return Err(exact::too_short(name, info.size, range.end));
    }
    Ok((info, futures::stream::empty().boxed()))
}

impl Store for HttpStore {
    fn lists_by_prefix(&self) -> bool {
        false
    }

    fn lists_in_order(&self) -> bool {
        false
    }

    fn writes_conditionally(&self) -> bool {
        false
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        NameRules::HTTP.check(name)
    }

    fn stat<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ObjectInfo>, Failure>> {
        Box::pin(async move {
            self.check_name(name)?;
            self.client.head(Action::Stat, name).await
        })
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<(ObjectInfo, ByteStream), Failure>> {
        Box::pin(self.read_body(name, range))
    }

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>> {
        Box::pin(async move { Err(read_only("write", request.name)) })
    }

    fn list<'a>(&'a self, prefix: &'a str, _after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>> {
        Box::pin(async move { Err(read_only("list", prefix)) })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { Err(read_only("delete", name)) })
    }

    /// Many servers have nothing at the address itself, or do not show it: that they say so proves them there.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            // Not HEAD, which some servers answer with a body all the same; what this brings is not read.
            let request = self.client.request(Method::GET, "");
            let response = self.client.send(Action::Probe, "", request).await?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED || status.is_server_error() {
                return Err(error::refused(Action::Probe, "", &response));
            }
            Ok(())
        })
    }
}

fn read_only(verb: &str, name: &str) -> Failure {
    Failure::permanent(
        "store.read_only",
        format!("cannot {verb} `{name}`: a web server can only be read, by path; a WebDAV server is of kind `webdav`"),
    )
}
