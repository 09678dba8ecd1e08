//! `bare-copy FROM TO AT_ONCE`: copies every object, hashing it with SHA-256 on the way, and does nothing else: no state, no check of
//! lengths, no metadata, no retries. An end is `fs:FOLDER`, `s3:BUCKET` or `azblob:CONTAINER`; endpoints and keys come from the
//! environment.

use std::error::Error;
use std::sync::Arc;

use futures::TryStreamExt;
use opendal::layers::TimeoutLayer;
use opendal::services::{Azblob, Fs, S3};
use opendal::{Buffer, HttpTransporter, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Larger objects are streamed in parts of this many bytes.
const PART_BYTES: usize = 8 << 20;

/// Parts of a large object that are sent at once.
const PARTS: usize = 4;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, at_once] = arguments.as_slice() else {
        return Err("usage: bare-copy FROM TO AT_ONCE".into());
    };
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
        in_flight.spawn(async move { copy(&from, &to, &name).await });
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

async fn copy(from: &Operator, to: &Operator, name: &str) -> Outcome<Vec<u8>> {
    let reader = from.reader(name).await?;
    let mut stream = reader.into_stream(..).await?;
    let mut hasher = Sha256::new();
    let mut gathered = Vec::new();
    let mut size = 0;
    let mut writer = None;
    while let Some(buffer) = stream.try_next().await? {
        for bytes in buffer {
            hasher.update(&bytes);
            size += bytes.len();
            gathered.push(bytes);
        }
        if size > PART_BYTES && writer.is_none() {
            writer = Some(to.writer_with(name).chunk(PART_BYTES).concurrent(PARTS).await?);
        }
        if let Some(writer) = &mut writer {
            writer.write(Buffer::from(std::mem::take(&mut gathered))).await?;
        }
    }
    match writer {
        Some(mut writer) => {
            writer.close().await?;
        }
        None => {
            to.write_with(name, Buffer::from(gathered)).chunk(PART_BYTES).await?;
        }
    }
    Ok(hasher.finalize().to_vec())
}
