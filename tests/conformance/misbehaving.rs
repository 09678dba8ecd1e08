//! Stores that answer badly, which no good server can be made to do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::TryStreamExt;
use pipeline::connect::{Connections, Store};
use pipeline::model::{
    Ceilings, ConnectionConfig, ConnectionKind, Failure, FailureClass, S3Credentials, SecretReference,
};

use super::kinds::runtime;

/// A server that gives every request the same answer and hangs up; `None` says nothing at all.
struct Misbehaving {
    endpoint: String,
    requests: Arc<AtomicUsize>,
}

impl Misbehaving {
    fn start(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming().flatten() {
                read_head(&stream);
                counter.fetch_add(1, Ordering::SeqCst);
                match answer {
                    // The client may have hung up first.
                    Some(answer) => drop((&stream).write_all(answer.as_bytes())),
                    None => silent.push(stream),
                }
            }
        });
        Self { endpoint, requests }
    }

    fn connections(&self) -> (Connections, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "secret").unwrap();
        let kind = ConnectionKind::S3 {
            bucket: "bucket".to_owned(),
            region: None,
            endpoint: Some(self.endpoint.clone()),
            credentials: S3Credentials::Keys {
                access_key_id: SecretReference::File(path.clone()),
                secret_access_key: SecretReference::File(path),
                session_token: None,
            },
            root: None,
        };
        let config = ConnectionConfig {
            name: "bad".to_owned(),
            kind,
            timeout: Duration::from_millis(500),
            ceilings: Ceilings::default(),
            retry: None,
        };
        (Connections::new(BTreeMap::from([("bad".to_owned(), config)])), folder)
    }

    /// Reads an object to its end.
    fn read(&self) -> Failure {
        runtime().block_on(async {
            let (connections, _folder) = self.connections();
            let store = connections.store("bad").await.unwrap();
            read_to_failure(&*store).await
        })
    }
}

async fn read_to_failure(store: &dyn Store) -> Failure {
    match store.read("a.bin", None).await {
        Ok((_, body)) => body.try_collect::<Vec<_>>().await.unwrap_err(),
        Err(failure) => failure,
    }
}

fn read_head(stream: &TcpStream) {
    let lines = BufReader::new(stream).lines();
    lines
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .for_each(drop);
}

#[test]
fn a_body_that_is_cut_short_is_a_failure() {
    let server = Misbehaving::start(Some(
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: \"1\"\r\nConnection: close\r\n\r\nonly these",
    ));
    let failure = server.read();
    assert_eq!(failure.class, FailureClass::Transient, "{failure}");
    assert!(failure.message.contains("`a.bin`"), "{failure}");
}

#[test]
fn an_encoded_body_is_measured_too() {
    // For these OpenDAL compares no lengths.
    let server = Misbehaving::start(Some(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\nContent-Range: bytes 0-9/100\r\nContent-Encoding: x\r\n\
         ETag: \"1\"\r\nConnection: close\r\n\r\nonly these",
    ));
    assert_eq!(server.read().code, "source.short");
}

#[test]
fn a_throttled_read_is_left_to_the_engine() {
    let server = Misbehaving::start(Some(
        "HTTP/1.1 503 Slow Down\r\nRetry-After: 3\r\nContent-Length: 36\r\nConnection: close\r\n\r\n\
         <Error><Code>SlowDown</Code></Error>",
    ));
    let failure = server.read();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::Throttled, "store.throttled"),
        "{failure}"
    );
    assert_eq!(failure.retry_after, Some(Duration::from_secs(3)));
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn a_page_of_a_listing_is_asked_for_again() {
    let server = Misbehaving::start(Some(
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ));
    let failure = runtime().block_on(async {
        let (connections, _folder) = server.connections();
        let store = connections.store("bad").await.unwrap();
        let listing = store.list("", None).await.unwrap();
        listing.try_collect::<Vec<_>>().await.unwrap_err()
    });
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::Transient, "store.server_error"),
        "{failure}"
    );
    assert_eq!(server.requests.load(Ordering::SeqCst), 3);
}

#[test]
fn silence_is_a_time_out() {
    let server = Misbehaving::start(None);
    let failure = server.read();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::Transient, "store.timeout"),
        "{failure}"
    );
}

#[test]
fn nobody_there_is_a_connection_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let requests = Arc::new(AtomicUsize::new(0));
    let failure = Misbehaving { endpoint, requests }.read();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::Transient, "store.connection"),
        "{failure}"
    );
}

#[test]
fn expired_credentials_are_told_from_bad_ones() {
    let server = Misbehaving::start(Some(
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 40\r\nConnection: close\r\n\r\n\
         <Error><Code>ExpiredToken</Code></Error>",
    ));
    assert_eq!(server.read().class, FailureClass::AuthExpired);
}
