use std::collections::BTreeSet;
use std::net::TcpListener;

use futures::future::join_all;
use pipeline::connect::Message;
use pipeline::model::{Failure, FailureClass, MessageEncoding};

use super::kinds::{BAD_SECRET, azurite, next_name};
use super::queue_kinds::{Access, QueueKind, QueueSubject};
use super::servers::Azurite;

/// Each as it is, and as it must arrive. JSON objects have one key: that a file keeps the order of several is tested where it is written.
const BODIES: [&str; 9] = [
    r#"{"blob":"a/b.bin"}"#,
    "<a href=\"x\">&amp; 'b'</a> ]]>",
    "ünïcödé 漢字 🎈 \u{200b}|",
    "  a  ",
    "two\nlines\r\nand\ttabs",
    "true story",
    r#"{"broken":"#,
    "\u{feff}marked",
    "x",
];

pub async fn exact_bodies(subject: QueueSubject) {
    let mut bodies: Vec<&str> = BODIES.to_vec();
    if subject.kind != QueueKind::AZURE_TEXT {
        bodies.push("\u{0}\u{1b}[1m");
    }
    for (index, body) in bodies.iter().enumerate() {
        send(&subject, &index.to_string(), body).await.unwrap();
    }
    let mut received = subject.received();
    received.sort();
    bodies.sort_unstable();
    assert_eq!(received, bodies);
}

pub async fn many_at_once(subject: QueueSubject) {
    const MESSAGES: usize = 500;
    let bodies: BTreeSet<String> = (0..MESSAGES)
        .map(|number| format!(r#"{{"number":{number}}}"#))
        .collect();
    let sent = bodies.iter().map(|body| send(&subject, "ü – any id at all", body));
    for result in join_all(sent).await {
        result.unwrap();
    }
    let received = subject.received();
    assert_eq!(received.len(), MESSAGES);
    assert_eq!(received.into_iter().collect::<BTreeSet<_>>(), bodies);
}

pub async fn refused_bodies(subject: QueueSubject) {
    let bytes_max = match subject.kind {
        QueueKind::Azure(MessageEncoding::Base64) => 48 << 10,
        QueueKind::Azure(MessageEncoding::Text) => 64 << 10,
        QueueKind::Jsonl => 1 << 20,
    };
    let body = "z".repeat(bytes_max);
    send(&subject, "1", &body).await.unwrap();
    let failure = send(&subject, "2", &format!("{body}z")).await.unwrap_err();
    assert_eq!((failure.class, &*failure.code), (FailureClass::Data, "queue.too_large"));
    assert!(!failure.message.contains("zz"), "no message shows a body");
    if subject.kind == QueueKind::AZURE_TEXT {
        let failure = send(&subject, "3", "a\u{0}").await.unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Data, "queue.characters")
        );
    }
    assert!(subject.received() == [body], "the longest arrives, and nothing else");
}

pub async fn probe(subject: QueueSubject) {
    subject.connections.probe("subject").await.unwrap();
    assert_eq!(subject.received(), [""; 0]);
    assert!(!subject.path.exists());
}

#[test]
fn azqueue_refuses_bad_credentials_without_showing_them() {
    let name = next_name();
    azurite().create_queue(&name);
    for access in [
        Access::Key(BAD_SECRET),
        Access::Signature(&format!(
            "?sv=2021-12-02&sp=a&se=2999-01-01T00%3A00%3A00Z&sig={BAD_SECRET}"
        )),
        Access::Signature(&azurite().sign_queue(&name, "r", 600)),
    ] {
        QueueKind::AZURE.run_on(&name, &access, async |subject| {
            let failure = send(&subject, "1", "x").await.unwrap_err();
            assert_eq!(
                (failure.class, &*failure.code),
                (FailureClass::Denied, "queue.denied"),
                "{failure}"
            );
            let said = format!("{failure} {failure:?}");
            assert!(!said.contains(BAD_SECRET) && !said.contains("sig="), "{said}");
            assert!(said.contains(&subject.name), "{said}");
        });
    }
}

#[test]
fn azqueue_takes_a_signature_that_only_adds() {
    let name = next_name();
    azurite().create_queue(&name);
    let token = azurite().sign_queue(&name, "a", 600);
    QueueKind::AZURE.run_on(&name, &Access::Signature(&token), async |subject| {
        subject.connections.probe("subject").await.unwrap();
        send(&subject, "1", "x").await.unwrap();
        assert_eq!(subject.received(), ["x"]);
    });
}

#[test]
fn an_absent_azqueue_is_told_as_such() {
    QueueKind::AZURE.run_on(&next_name(), &Access::Key(Azurite::ACCOUNT_KEY), async |subject| {
        let sent = send(&subject, "1", "x").await.unwrap_err();
        let probed = subject.connections.probe("subject").await.unwrap_err();
        for failure in [sent, probed] {
            assert_eq!(
                (failure.class, &*failure.code),
                (FailureClass::Permanent, "queue.missing"),
                "{failure}"
            );
            assert!(failure.message.contains(&subject.name), "{failure}");
        }
    });
}

#[test]
fn a_server_that_is_silent_or_gone_is_transient() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/account", listener.local_addr().unwrap());
    let access = Access::Key(BAD_SECRET);
    let check = async |subject: QueueSubject, code: &str| {
        let failure = send(&subject, "1", "x").await.unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Transient, code),
            "{failure}"
        );
    };
    // The system takes the connection for it, and nobody answers.
    QueueKind::AZURE.run_at(&endpoint, "silent", &access, |subject| check(subject, "queue.timeout"));
    drop(listener);
    QueueKind::AZURE.run_at(&endpoint, "gone", &access, |subject| check(subject, "queue.connection"));
}

#[test]
fn a_file_that_was_left_torn_or_taken_away_loses_no_message() {
    QueueKind::Jsonl.run(async |subject| {
        send(&subject, "a", r#"{"n":1}"#).await.unwrap();
        let whole = std::fs::read_to_string(&subject.path).unwrap();
        std::fs::write(&subject.path, format!("{whole}{{\"id\":\"torn\",\"bo")).unwrap();
        send(&subject, "b", "two").await.unwrap();
        let text = std::fs::read_to_string(&subject.path).unwrap();
        assert_eq!(
            text,
            format!("{whole}{{\"id\":\"torn\",\"bo\n{{\"id\":\"b\",\"body\":\"two\"}}\n")
        );

        std::fs::rename(&subject.path, subject.path.with_extension("taken")).unwrap();
        send(&subject, "c", "three").await.unwrap();
        assert_eq!(subject.lines(), [("c".to_owned(), "three".to_owned())]);
    });
}

#[test]
fn a_path_that_cannot_be_a_file_is_told_as_such() {
    QueueKind::Jsonl.run(async |subject| {
        std::fs::create_dir_all(&subject.path).unwrap();
        let folder = subject.path.parent().unwrap().to_owned();
        let missing = async || {
            let sent = send(&subject, "1", "x").await.unwrap_err();
            let probed = subject.connections.probe("subject").await.unwrap_err();
            for failure in [sent, probed] {
                assert_eq!(
                    (failure.class, &*failure.code),
                    (FailureClass::Permanent, "queue.missing"),
                    "{failure}"
                );
                assert!(failure.message.contains("queue.jsonl"), "{failure}");
            }
        };
        missing().await;
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::write(&folder, "").unwrap();
        missing().await;
    });
}

async fn send(subject: &QueueSubject, id: &str, body: &str) -> Result<(), Failure> {
    subject.queue.send(Message { id, body }).await
}
