use bytes::Bytes;
use futures::future::BoxFuture;
use opendal::options::WriteOptions;
use opendal::{Buffer, Capability, Operator, Writer};

use super::super::meaning::Action;
use super::super::{ObjectMetadata, ObjectWriter, Precondition, WriteRequest, exact};
use super::error;
use super::store::{Operators, Traits};
use crate::model::{Failure, FailureClass};

/// Writes an object: in one request when it fits in one part, in parts otherwise.
pub(super) struct OperatorWriter {
    name: String,
    size: u64,
    seen: u64,
    state: State,
}

enum State {
    /// All bytes are gathered and sent by `close`, so that a body of the wrong length never leaves this process.
    Single {
        operator: Operator,
        options: Box<WriteOptions>,
        gathered: Vec<Bytes>,
    },
    Parts(Box<Writer>),
    Ended,
}

impl OperatorWriter {
    pub(super) async fn open(
        Operators { once, patient }: &Operators,
        traits: Traits,
        request: &WriteRequest<'_>,
    ) -> Result<Self, Failure> {
        let capability = once.info().capability();
        let part_size = part_size(request, traits.parts_max, &capability);
        let options = options(request, traits, &capability, part_size)?;
        let state = if request.size <= part_size as u64 {
            State::Single {
                operator: once.clone(),
                options: Box::new(options),
                gathered: Vec::new(),
            }
        } else {
            // The store looks at the condition when the last part is in: gigabytes too late.
            if request.precondition == Precondition::Absent {
                refuse_existing(once, request.name).await?;
            }
            let writer = patient
                .writer_options(request.name, options)
                .await
                .map_err(|error| error::failure(Action::Write, request.name, &error))?;
            State::Parts(Box::new(writer))
        };
        Ok(Self {
            name: request.name.to_owned(),
            size: request.size,
            seen: 0,
            state,
        })
    }

    async fn discard(&mut self) {
        if let State::Parts(mut writer) = std::mem::replace(&mut self.state, State::Ended) {
            // Nothing is visible either way; what a store keeps of an upload that cannot be aborted, its own rules remove.
            let _ = writer.abort().await;
        }
    }

    async fn push(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.seen += bytes.len() as u64;
        if self.seen > self.size {
            self.discard().await;
            return Err(exact::too_long(&self.name, self.size));
        }
        match &mut self.state {
            State::Single { gathered, .. } => gathered.push(bytes),
            State::Parts(writer) => {
                if let Err(error) = writer.write(bytes).await {
                    self.discard().await;
                    return Err(error::failure(Action::Write, &self.name, &error));
                }
            }
            State::Ended => return Err(exact::already_ended(&self.name)),
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), Failure> {
        if self.seen != self.size {
            self.discard().await;
            return Err(exact::too_short(&self.name, self.seen, self.size));
        }
        let written = match std::mem::replace(&mut self.state, State::Ended) {
            State::Single {
                operator,
                options,
                gathered,
            } => operator
                .write_options(&self.name, Buffer::from(gathered), *options)
                .await
                .map(drop),
            State::Parts(mut writer) => match writer.close().await {
                Ok(_) => Ok(()),
                Err(error) => {
                    let _ = writer.abort().await;
                    Err(error)
                }
            },
            State::Ended => return Err(exact::already_ended(&self.name)),
        };
        written.map_err(|error| error::failure(Action::Write, &self.name, &error))
    }
}

impl ObjectWriter for OperatorWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.push(bytes))
    }

    fn close(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.finish())
    }

    fn abort(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.discard())
    }
}

/// The part size asked for, raised until the parts are few enough and no smaller than the store takes them.
fn part_size(request: &WriteRequest<'_>, parts_max: usize, capability: &Capability) -> usize {
    let fewest = usize::try_from(request.size.div_ceil(parts_max as u64)).unwrap_or(usize::MAX);
    request
        .part_size
        .max(1)
        .max(fewest)
        .max(capability.write_multi_min_size.unwrap_or(0))
}

/// Everything that the service can keep of an object's metadata; OpenDAL refuses a call that asks for more.
fn options(
    request: &WriteRequest<'_>,
    traits: Traits,
    capability: &Capability,
    part_size: usize,
) -> Result<WriteOptions, Failure> {
    check_user_metadata(request.name, request.metadata, traits)?;
    let keep = |value: &Option<String>, can: bool| value.clone().filter(|_| can);
    let metadata = request.metadata;
    let keeps_user = capability.write_with_user_metadata && !metadata.user.is_empty();
    Ok(WriteOptions {
        content_type: keep(&metadata.content_type, capability.write_with_content_type),
        content_encoding: keep(&metadata.content_encoding, capability.write_with_content_encoding),
        content_disposition: keep(&metadata.content_disposition, capability.write_with_content_disposition),
        cache_control: keep(&metadata.cache_control, capability.write_with_cache_control),
        user_metadata: keeps_user.then(|| metadata.user.clone().into_iter().collect()),
        if_not_exists: request.precondition == Precondition::Absent && capability.write_with_if_not_exists,
        // Also for small objects: without it each piece handed over would become a block of its own.
        chunk: Some(part_size),
        concurrent: request.parts.max(1),
        ..WriteOptions::default()
    })
}

/// User metadata travels in headers, and Azure takes only identifiers as its keys.
fn check_user_metadata(name: &str, metadata: &ObjectMetadata, traits: Traits) -> Result<(), Failure> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let fits = |key: &str, value: &str| {
        let key_fits = if traits.user_metadata_keys_are_identifiers {
            key.chars().all(is_word) && !key.starts_with(|first: char| first.is_ascii_digit())
        } else {
            key.chars()
                .all(|character| is_word(character) || matches!(character, '-' | '.'))
        };
        key_fits && !key.is_empty() && value.chars().all(|character| matches!(character, ' '..='~'))
    };
    match metadata.user.iter().find(|(key, value)| !fits(key, value)) {
        None => Ok(()),
        Some((key, _)) => Err(Failure::data(
            "store.metadata",
            format!(
                "cannot write `{name}`: the sink cannot carry its user metadata `{key}`; rename or remove it at the source"
            ),
        )),
    }
}

async fn refuse_existing(once: &Operator, name: &str) -> Result<(), Failure> {
    let is_there = once
        .exists(name)
        .await
        .map_err(|error| error::failure(Action::Stat, name, &error))?;
    if is_there {
        return Err(Failure::new(
            FailureClass::Conflict,
            "store.exists",
            format!("cannot write `{name}`: it is already there"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_until_they_are_few_enough() {
        let metadata = ObjectMetadata::default();
        let request = |size| WriteRequest {
            name: "a",
            size,
            metadata: &metadata,
            precondition: Precondition::None,
            part_size: 8 << 20,
            parts: 4,
        };
        let capability = Capability::default();
        assert_eq!(part_size(&request(1 << 30), 10_000, &capability), 8 << 20);
        let large = 1_u64 << 40;
        let grown = part_size(&request(large), 10_000, &capability) as u64;
        assert!(grown > 8 << 20 && large.div_ceil(grown) <= 10_000, "{grown}");
    }
}
