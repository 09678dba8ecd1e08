//! `bare-copy FROM TO AT_ONCE whole|parts`: copies every object, each as one piece or streamed in parts, hashing it with SHA-256 on the way, and does nothing else: no state, no check of
//! lengths, no metadata, no retries. An end is `fs:FOLDER`, `s3:BUCKET` or `azblob:CONTAINER`; endpoints and keys come from the
//! environment.

use std::error::Error;
use std::sync::Arc;

use futures::TryStreamExt;
use opendal::layers::TimeoutLayer;
use opendal::services::{Azblob, Fs, S3};
use opendal::{HttpTransporter, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Bytes of one part of a streamed object.
const PART_BYTES: usize = 8 << 20;

/// Parts of a streamed object that are sent at once.
const PARTS: usize = 4;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, at_once, form] = arguments.as_slice() else {
        return Err("usage: bare-copy FROM TO AT_ONCE whole|parts".into());
    };
    let in_parts = form == "parts";
    let _ = rustls::crypto::ring::default_provider().install_default();
    HttpTransporter::install_default(ReqwestTransport::default());
    let (from, to) = (Arc::new(open(from)?), Arc::new(open(to)?));
    let at_once: usize = at_once.parse()?;
    let mut in_flight = JoinSet::new();
    let mut copied = 0_usize;
    let mut objects = from.lister_with("/").recursive(true).await?;
    while let Some(object) = objects.try_next().await? {
        if object.metadata().is_dir() {
            continue;
        }
        if in_flight.len() >= at_once
            && let Some(ended) = in_flight.join_next().await
        {
            ended??;
        }
        let (from, to, name) = (Arc::clone(&from), Arc::clone(&to), object.path().to_owned());
        let listed = object.metadata().content_length();
        in_flight.spawn(async move {
            if in_parts {
                stream(&from, &to, &name).await
            } else {
                let size = if listed > 0 {
                    listed
                } else {
                    from.stat(&name).await?.content_length()
                };
                copy(&from, &to, &name, size).await
            }
        });
        copied += 1;
    }
    while let Some(ended) = in_flight.join_next().await {
        ended??;
    }
    println!("{copied} objects");
    Ok(())
}

fn open(end: &str) -> Outcome<Operator> {
    let (kind, place) = end.split_once(':').ok_or("an end is KIND:PLACE")?;
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("`{name}` is not set"));
    let operator = match kind {
        "fs" => Operator::new(Fs::default().root(place))?,
        "s3" => Operator::new(
            S3::default()
                .bucket(place)
                .region("us-east-1")
                .endpoint(&variable("BENCH_S3_ENDPOINT")?)
                .access_key_id(&variable("BENCH_S3_ACCESS_KEY_ID")?)
                .secret_access_key(&variable("BENCH_S3_SECRET_ACCESS_KEY")?)
                .disable_config_load()
                .disable_ec2_metadata(),
        )?,
        "azblob" => Operator::new(
            Azblob::default()
                .container(place)
                .endpoint(&variable("BENCH_AZBLOB_ENDPOINT")?)
                .account_name(&variable("BENCH_AZBLOB_ACCOUNT")?)
                .account_key(&variable("BENCH_AZBLOB_KEY")?),
        )?,
        _ => return Err(format!("`{kind}` is no kind of end").into()),
    };
    Ok(operator.layer(TimeoutLayer::new()))
}

/// With a known size one request or one read brings the whole; without it, a buffer of megabytes is made for each.
async fn copy(from: &Operator, to: &Operator, name: &str, size: u64) -> Outcome<Vec<u8>> {
    let buffer = from.reader(name).await?.read(0..size).await?;
    let mut hasher = Sha256::new();
    for bytes in buffer.clone() {
        hasher.update(&bytes);
    }
    to.write(name, buffer).await?;
    Ok(hasher.finalize().to_vec())
}

async fn stream(from: &Operator, to: &Operator, name: &str) -> Outcome<Vec<u8>> {
    let mut pieces = from.reader(name).await?.into_stream(..).await?;
    let mut writer = to.writer_with(name).chunk(PART_BYTES).concurrent(PARTS).await?;
    let mut hasher = Sha256::new();
    while let Some(buffer) = pieces.try_next().await? {
        for bytes in buffer.clone() {
            hasher.update(&bytes);
        }
        writer.write(buffer).await?;
    }
    writer.close().await?;
    Ok(hasher.finalize().to_vec())
}
