use std::ops::Range;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use opendal::options::{ListOptions, ReaderOptions};
use opendal::raw::normalize_path;
use opendal::{BufferStream, Capability, Metadata, Operator};

use super::super::exact;
use super::super::meaning::Action;
use super::super::name::NameRules;
use super::super::{ByteStream, ObjectInfo, ObjectMetadata, ObjectStream, ObjectWriter, Store, WriteRequest};
use super::error;
use super::writer::OperatorWriter;
use crate::model::{Failure, Timestamp};

/// What OpenDAL does not tell about a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    pub rules: NameRules,
    /// Parts that one object may be sent in.
    pub parts_max: usize,
    /// Whether the answer to a read brings all metadata; where not, a second request does, beside the first.
    pub reads_metadata: bool,
    pub user_metadata_keys_are_identifiers: bool,
}

/// One service in two tempers.
#[derive(Clone)]
pub(super) struct Operators {
    /// For calls that the engine repeats: time-outs, no retries.
    pub once: Operator,
    /// For calls within an operation that only repeats as a whole: pages of a listing, parts.
    pub patient: Operator,
}

/// A store behind an OpenDAL operator.
pub(in crate::connect) struct ObjectStore {
    once: Operator,
    patient: Operator,
    /// Where objects are written: nearly always the same service.
    writing: Operators,
    traits: Traits,
}

impl ObjectStore {
    pub(super) fn new(operators: Operators, traits: Traits) -> Self {
        Self {
            once: operators.once.clone(),
            patient: operators.patient.clone(),
            writing: operators,
            traits,
        }
    }

    /// Writes through another service that reaches the same objects.
    #[must_use]
    pub(super) fn written_through(mut self, operators: Operators) -> Self {
        self.writing = operators;
        self
    }

    fn capability(&self) -> Capability {
        self.once.info().capability()
    }

    async fn find(&self, name: &str) -> Result<Option<ObjectInfo>, Failure> {
        self.check_name(name)?;
        match self.once.stat(name).await {
            Ok(metadata) if metadata.is_file() => Ok(Some(info(name, &metadata))),
            Ok(_) => Ok(None),
            Err(error) => {
                let failure = error::failure(Action::Stat, name, &error);
                if failure.code == "store.not_found" {
                    Ok(None)
                } else {
                    Err(failure)
                }
            }
        }
    }

    /// One request, whose answer brings the metadata with the bytes.
    async fn open(&self, name: &str, range: Option<&Range<u64>>) -> Result<(ObjectInfo, BufferStream), Failure> {
        let failed = |error: opendal::Error| error::failure(Action::Read, name, &error);
        let reader = self
            .once
            .reader_options(name, ReaderOptions::default())
            .await
            .map_err(failed)?;
        let mut stream = match range {
            Some(range) => reader.into_stream(range.clone()).await,
            None => reader.into_stream(..).await,
        }
        .map_err(failed)?;
        let metadata = stream.metadata().await.map_err(failed)?;
        Ok((info(name, &metadata), stream))
    }

    async fn open_with_metadata(
        &self,
        name: &str,
        range: Option<&Range<u64>>,
    ) -> Result<(ObjectInfo, BufferStream), Failure> {
        if self.traits.reads_metadata {
            return self.open(name, range).await;
        }
        let (found, (mut info, stream)) = futures::try_join!(self.find(name), self.open(name, range))?;
        let found = found.ok_or_else(|| exact::changed(name))?;
        if found.etag != info.etag || found.size != info.size {
            return Err(exact::changed(name));
        }
        info.metadata = found.metadata;
        Ok((info, stream))
    }

    async fn read_body(&self, name: &str, range: Option<Range<u64>>) -> Result<(ObjectInfo, ByteStream), Failure> {
        self.check_name(name)?;
        if let Some(range) = range.as_ref().filter(|range| range.start >= range.end) {
            // No request can ask for no bytes, so the object is only looked at.
            let info = self.find(name).await?.ok_or_else(|| not_found(name))?;
            if range.end > info.size {
                return Err(exact::too_short(name, info.size, range.end));
            }
            return Ok((info, futures::stream::empty().boxed()));
        }
        let (info, stream) = self.open_with_metadata(name, range.as_ref()).await?;
        let expected = range.map_or(info.size, |range| range.end - range.start);
        let owned_name = name.to_owned();
        let pieces = stream
            .map_err(move |error| error::failure(Action::Read, &owned_name, &error))
            .map_ok(|buffer| futures::stream::iter(Iterator::map(buffer, Ok::<Bytes, Failure>)))
            .try_flatten();
        Ok((info, exact::exact(pieces, name, expected)))
    }

    async fn list_behind(&self, prefix: &str, after: Option<&str>) -> Result<ObjectStream, Failure> {
        let starts_behind = self.capability().list_with_start_after;
        let options = ListOptions {
            recursive: true,
            start_after: after.filter(|_| starts_behind).map(str::to_owned),
            ..ListOptions::default()
        };
        // A prefix that OpenDAL would change (`a//`, a space at its end) is asked for from further up and compared here.
        let asked = if prefix.is_empty() || normalize_path(prefix) != prefix {
            "/"
        } else {
            prefix
        };
        let lister = self
            .patient
            .lister_options(asked, options)
            .await
            .map_err(|error| error::failure(Action::List, prefix, &error))?;
        // Some S3-compatible stores list in an order of their own: where the store starts behind a name, it alone knows what is behind.
        let (prefix, after) = (prefix.to_owned(), after.filter(|_| !starts_behind).map(str::to_owned));
        let place = prefix.clone();
        let entries = lister
            .map_err(move |error| error::failure(Action::List, &place, &error))
            .try_filter_map(move |entry| {
                let wanted = entry.metadata().is_file()
                    && entry.path().starts_with(&prefix)
                    && after.as_deref().is_none_or(|after| entry.path() > after);
                let listed = wanted.then(|| info(entry.path(), entry.metadata()));
                futures::future::ready(Ok(listed))
            });
        Ok(entries.boxed())
    }
}

impl Store for ObjectStore {
    fn lists_by_prefix(&self) -> bool {
        true
    }

    fn lists_in_order(&self) -> bool {
        true
    }

    fn writes_conditionally(&self) -> bool {
        self.writing.once.info().capability().write_with_if_not_exists
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        self.traits.rules.check(name)?;
        // The rules above name each fault; this one stays true when OpenDAL learns to change more.
        if normalize_path(name) != name {
            return Err(Failure::data(
                "name.not_normal",
                format!(
                    "the name `{}` would be changed on its way to the store",
                    name.escape_debug()
                ),
            ));
        }
        Ok(())
    }

    fn stat<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<ObjectInfo>, Failure>> {
        Box::pin(self.find(name))
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        range: Option<Range<u64>>,
    ) -> BoxFuture<'a, Result<(ObjectInfo, ByteStream), Failure>> {
        Box::pin(self.read_body(name, range))
    }

    fn write<'a>(&'a self, request: WriteRequest<'a>) -> BoxFuture<'a, Result<Box<dyn ObjectWriter>, Failure>> {
        Box::pin(async move {
            self.check_name(request.name)?;
            let writer = OperatorWriter::open(&self.writing, self.traits, &request).await?;
            Ok(Box::new(writer) as Box<dyn ObjectWriter>)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> BoxFuture<'a, Result<ObjectStream, Failure>> {
        Box::pin(self.list_behind(prefix, after))
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.check_name(name)?;
            self.once
                .delete(name)
                .await
                .map_err(|error| error::failure(Action::Delete, name, &error))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let options = ListOptions {
                limit: self.capability().list_with_limit.then_some(1),
                ..ListOptions::default()
            };
            let failed = |error: opendal::Error| error::failure(Action::Probe, "", &error);
            let mut lister = self.once.lister_options("/", options).await.map_err(failed)?;
            lister.try_next().await.map(drop).map_err(failed)
        })
    }
}

fn not_found(name: &str) -> Failure {
    let error = opendal::Error::new(opendal::ErrorKind::NotFound, "");
    error::failure(Action::Read, name, &error)
}

fn info(name: &str, metadata: &Metadata) -> ObjectInfo {
    let text = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
    let user = metadata
        .user_metadata()
        .map(|user| {
            user.into_iter()
                .map(|(key, value)| (key.to_lowercase(), value.to_owned()))
                .collect()
        })
        .unwrap_or_default();
    ObjectInfo {
        name: name.to_owned(),
        size: metadata.content_length(),
        etag: text(metadata.etag()),
        modified: metadata
            .last_modified()
            .map(|modified| Timestamp(modified.into_inner().as_millisecond())),
        metadata: ObjectMetadata {
            content_type: text(metadata.content_type()),
            content_encoding: text(metadata.content_encoding()),
            content_disposition: text(metadata.content_disposition()),
            cache_control: text(metadata.cache_control()),
            user,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_that_passes_the_rules_is_left_alone_by_opendal(name in r"[ab/. \\\t\u{a0}\u{2003}é%]{0,12}") {
            for rules in [NameRules::MEMORY, NameRules::S3, NameRules::AZBLOB] {
                if rules.check(&name).is_ok() {
                    prop_assert_eq!(normalize_path(&name), name.as_str());
                }
            }
        }
    }
}
