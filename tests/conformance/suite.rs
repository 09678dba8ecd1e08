use std::collections::BTreeMap;

use bytes::Bytes;
use futures::TryStreamExt;
use pipeline::connect::{ObjectInfo, ObjectMetadata, Precondition, Store, WriteRequest};
use pipeline::model::{Failure, FailureClass};

use super::kinds::{BAD_SECRET, Kind, Subject};

const PART_SIZE: usize = 8 << 20;

/// Bytes that are different at every place, so that parts in the wrong order show.
fn body(size: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|number| number.wrapping_mul(0x9e37_79b9).to_le_bytes())
        .take(size)
        .collect()
}

async fn write_as(
    store: &dyn Store,
    name: &str,
    bytes: &[u8],
    announced: usize,
    metadata: &ObjectMetadata,
    precondition: Precondition,
) -> Result<(), Failure> {
    let request = WriteRequest {
        name,
        size: announced as u64,
        metadata,
        precondition,
        part_size: PART_SIZE,
        parts: 3,
    };
    let mut writer = store.write(request).await?;
    for piece in bytes.chunks(300_000) {
        if let Err(failure) = writer.write(Bytes::copy_from_slice(piece)).await {
            writer.abort().await;
            return Err(failure);
        }
    }
    writer.close().await
}

async fn write(store: &dyn Store, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    write_as(
        store,
        name,
        bytes,
        bytes.len(),
        &ObjectMetadata::default(),
        Precondition::None,
    )
    .await
}

async fn read(store: &dyn Store, name: &str) -> Result<(ObjectInfo, Vec<u8>), Failure> {
    let (info, body) = store.read(name, None).await?;
    let pieces: Vec<Bytes> = body.try_collect().await?;
    Ok((info, pieces.concat()))
}

async fn list(store: &dyn Store, prefix: &str, after: Option<&str>) -> Vec<String> {
    let listing = store.list(prefix, after).await.unwrap();
    listing.map_ok(|info| info.name).try_collect().await.unwrap()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

pub async fn round_trip(subject: Subject) {
    let store = &*subject.store;
    subject.connections.probe("subject").await.unwrap();
    for (name, size) in [("empty", 0), ("one", 1), ("folder/small.txt", 16 << 10)] {
        let bytes = body(size);
        write(store, name, &bytes).await.unwrap();
        let (info, read_back) = read(store, name).await.unwrap();
        assert!(read_back == bytes, "{name}");
        assert_eq!((info.name.as_str(), info.size), (name, size as u64));
        let found = store.stat(name).await.unwrap().unwrap();
        assert_eq!(found.size, size as u64);
        assert_eq!(found.etag, info.etag);
    }
    metadata_is_carried(&subject).await;
    ranges_are_cut(store).await;
    write(store, "one", b"other").await.unwrap();
    assert_eq!(read(store, "one").await.unwrap().1, b"other");
    store.delete("one").await.unwrap();
    assert_eq!(store.stat("one").await.unwrap(), None);
    store.delete("one").await.unwrap();
}

async fn metadata_is_carried(subject: &Subject) {
    let metadata = ObjectMetadata {
        content_type: Some("text/x-test".to_owned()),
        cache_control: Some("max-age=60".to_owned()),
        user: BTreeMap::from([("origin".to_owned(), "unit 7".to_owned())]),
        ..ObjectMetadata::default()
    };
    let store = &*subject.store;
    let bytes = body(100);
    write_as(store, "meta", &bytes, 100, &metadata, Precondition::None)
        .await
        .unwrap();
    let (info, _) = read(store, "meta").await.unwrap();
    match subject.kind {
        Kind::Azblob | Kind::S3 => assert_eq!(info.metadata, metadata),
        Kind::Memory => assert_eq!(info.metadata.content_type, metadata.content_type),
        Kind::Fs | Kind::Sftp => assert_eq!(info.metadata, ObjectMetadata::default()),
        // The server guesses a type from the name.
        Kind::Webdav | Kind::Http => {}
    }
}

async fn ranges_are_cut(store: &dyn Store) {
    let bytes = body(16 << 10);
    for range in [0..1, 5..5, 100..9_000, 16_383..16_384, 0..16_384] {
        let (_, piece) = store.read("folder/small.txt", Some(range.clone())).await.unwrap();
        let piece: Vec<Bytes> = piece.try_collect().await.unwrap();
        assert!(
            piece.concat() == bytes[range.start as usize..range.end as usize],
            "{range:?}"
        );
    }
    let beyond = match store.read("folder/small.txt", Some(16_000..20_000)).await {
        Ok((_, body)) => body.try_collect::<Vec<_>>().await.err(),
        Err(failure) => Some(failure),
    };
    assert!(beyond.is_some(), "a range behind the end is a failure, not fewer bytes");
}

pub async fn large_objects(subject: Subject) {
    let store = &*subject.store;
    // Sizes around the borders between one request and several, with the last part full and nearly empty.
    for size in [PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE, 20 << 20] {
        let bytes = body(size);
        let metadata = ObjectMetadata {
            content_type: Some("text/x-test".to_owned()),
            ..ObjectMetadata::default()
        };
        write_as(store, "large", &bytes, size, &metadata, Precondition::None)
            .await
            .unwrap();
        let (info, read_back) = read(store, "large").await.unwrap();
        assert_eq!(info.size, size as u64);
        assert!(read_back == bytes, "{size} bytes");
        if subject.kind.keeps_metadata() {
            assert_eq!(info.metadata.content_type, metadata.content_type);
        }
    }
}

pub async fn wrong_length(subject: Subject) {
    let store = &*subject.store;
    let plain = ObjectMetadata::default();
    for size in [1_000, 20 << 20] {
        let bytes = body(size);
        let failure = write_as(store, "short", &bytes, size + 1, &plain, Precondition::None)
            .await
            .unwrap_err();
        assert_eq!(failure.code, "source.short");
        let failure = write_as(store, "long", &bytes, size - 1, &plain, Precondition::None)
            .await
            .unwrap_err();
        assert_eq!(failure.code, "source.long");
    }
    let request = WriteRequest {
        name: "aborted",
        size: 20 << 20,
        metadata: &plain,
        precondition: Precondition::None,
        part_size: PART_SIZE,
        parts: 2,
    };
    let mut writer = store.write(request).await.unwrap();
    for _ in 0..9 {
        writer.write(Bytes::from(body(1 << 20))).await.unwrap();
    }
    writer.abort().await;
    assert!(list(store, "", None).await.is_empty());
    if matches!(subject.kind, Kind::Webdav | Kind::Sftp) {
        let unfinished = std::fs::read_dir(subject.folder.join(".pipeline-partial")).unwrap();
        assert_eq!(unfinished.count(), 0, "no unfinished file stays");
    }
    if subject.kind == Kind::Fs {
        let Subject {
            store,
            connections,
            folder,
            ..
        } = subject;
        drop((store, connections));
        assert_eq!(
            std::fs::read_dir(folder).unwrap().count(),
            0,
            "no unfinished file stays"
        );
    }
}

pub async fn preconditions(subject: Subject) {
    let store = &*subject.store;
    let plain = ObjectMetadata::default();
    for size in [0, 10, 20 << 20] {
        let name = format!("object-{size}");
        let bytes = body(size);
        write_as(store, &name, &bytes, size, &plain, Precondition::Absent)
            .await
            .unwrap();
        let failure = write_as(store, &name, &body(size + 1), size + 1, &plain, Precondition::Absent)
            .await
            .unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Conflict, "store.exists"),
            "{failure}"
        );
        assert!(failure.message.contains(&name), "{failure}");
        assert!(read(store, &name).await.unwrap().1 == bytes, "the first one stays");
    }
    assert!(store.writes_conditionally());
}

pub async fn hostile_names(subject: Subject) {
    let store = &*subject.store;
    let long = "x".repeat(2_000);
    let long_segment = "s".repeat(256);
    let many_bytes = "ü".repeat(200);
    let names = [
        "",
        "/",
        "/abs",
        "../x",
        "a/../c",
        "a/./c",
        ".",
        "..",
        "a//b",
        "//a",
        "a/",
        "trail ",
        " lead",
        "tab\tin",
        "nul\0in",
        "line\nin",
        "del\u{7f}in",
        "nonchar\u{ffff}in",
        &long,
        &long_segment,
        &many_bytes,
        "emoji-🦀.bin",
        "caf\u{e9}",
        "cafe\u{301}",
        "per%cent",
        "%2e%2e/x",
        "%2Fabs",
        "a b c",
        "plus+plus",
        "q?x=1&y=2",
        "hash#frag",
        "semi;colon",
        "quote'\"quote",
        "<tag>&amp;",
        "back\\slash",
        "dot.",
        "dots.../x",
        "star*",
        "pipe|",
        "colon:",
        "tilde~",
        "comma,",
        "\u{a0}nbsp",
        "rtl\u{202e}txt",
        "zero\u{200b}width",
        ".pipeline-partial/x",
        "~",
        "-dash",
        "=equal",
        "@at",
        "!$()[]{}^`",
    ];
    let mut written = BTreeMap::new();
    let mut refused = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        // S3 keeps a backslash; SeaweedFS alone makes it a slash.
        if subject.kind == Kind::S3 && name.contains('\\') {
            continue;
        }
        // WsgiDAV decodes where to move before it takes that apart, and loses what then looks like a query.
        if subject.kind == Kind::Webdav && name.contains(['?', '#', ';']) {
            continue;
        }
        let bytes = format!("body {index}").into_bytes();
        match write(store, name, &bytes).await {
            Ok(()) => {
                written.insert(name, bytes);
            }
            Err(failure) if store.check_name(name).is_ok() => {
                // A rule of this very server, which not all of its kind have.
                assert!(subject.kind == Kind::S3 && name.len() > 255, "{name:?}: {failure}");
                assert_eq!(
                    (failure.class, &*failure.code),
                    (FailureClass::Data, "name.too_long"),
                    "{failure}"
                );
            }
            Err(failure) => {
                assert_eq!(failure.class, FailureClass::Data, "{name:?}: {failure}");
                assert!(failure.code.starts_with("name."), "{name:?}: {failure}");
                assert!(store.read(name, None).await.is_err() && store.stat(name).await.is_err());
                refused.push(name);
            }
        }
    }
    for (name, bytes) in &written {
        assert!(
            &read(store, name).await.unwrap().1 == bytes,
            "{name:?} holds what was written to it"
        );
        assert_eq!(
            store.stat(name).await.unwrap().map(|info| info.name).as_deref(),
            Some(*name)
        );
    }
    let expected: Vec<&str> = written.keys().copied().collect();
    assert_eq!(sorted(list(store, "", None).await), expected);
    for name in ["", "/abs", "../x", "a//b", "nul\0in", &long] {
        assert!(refused.contains(&name), "{name:?}");
    }
    for name in [
        "emoji-🦀.bin",
        "caf\u{e9}",
        "cafe\u{301}",
        "per%cent",
        "a b c",
        "%2e%2e/x",
        "q?x=1&y=2",
        "hash#frag",
    ] {
        let is_lost = subject.kind == Kind::Webdav && name.contains(['?', '#']);
        assert!(is_lost || written.contains_key(name), "{name:?}");
    }
}

/// A server that cannot carry a name is found out, and the object is not counted as written.
pub async fn lost_names(subject: Subject) {
    let failure = write(&*subject.store, "q?x=1", b"x").await.unwrap_err();
    assert_eq!(
        (failure.class, &*failure.code),
        (FailureClass::Data, "name.refused"),
        "{failure}"
    );
}

pub async fn listings(subject: Subject) {
    let store = &*subject.store;
    assert!(list(store, "", None).await.is_empty());
    let names = ["a-1", "a/1", "a/2", "a/b/3", "ab", "b.txt", "c d/ü"];
    for name in names {
        write(store, name, name.as_bytes()).await.unwrap();
    }
    let all = list(store, "", None).await;
    if subject.kind != Kind::S3 {
        // SeaweedFS goes folder by folder.
        assert_eq!(all, names);
    }
    assert_eq!(sorted(all.clone()), names);
    assert_eq!(list(store, "a/", None).await, ["a/1", "a/2", "a/b/3"]);
    assert_eq!(
        sorted(list(store, "a", None).await),
        ["a-1", "a/1", "a/2", "a/b/3", "ab"]
    );
    assert_eq!(list(store, "a/b", None).await, ["a/b/3"]);
    assert_eq!(list(store, "c d/", None).await, ["c d/ü"]);
    assert_eq!(list(store, "c ", None).await, ["c d/ü"]);
    assert!(list(store, "nothing/", None).await.is_empty());
    assert!(list(store, "a//", None).await.is_empty());
    assert!(store.lists_in_order());
    for (index, name) in all.iter().enumerate() {
        assert_eq!(list(store, "", Some(name)).await, &all[index + 1..]);
    }
    assert_eq!(list(store, "a/", Some("a/1")).await, ["a/2", "a/b/3"]);
    let listing = store.list("ab", None).await.unwrap();
    let infos: Vec<ObjectInfo> = listing.try_collect().await.unwrap();
    assert_eq!(infos[0].size, 2);
}

pub async fn missing_objects(subject: Subject) {
    let store = &*subject.store;
    write(store, "folder/file", b"x").await.unwrap();
    for name in ["absent", "folder", "folder/absent", "folder/file/below"] {
        assert_eq!(store.stat(name).await.unwrap(), None, "{name}");
        let failure = store.read(name, None).await.err().unwrap();
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::NotFound, "store.not_found"),
            "{failure}"
        );
        assert!(failure.message.contains(&format!("`{name}`")), "{failure}");
        assert!(failure.message.len() < 200, "no dump: {failure}");
    }
}

/// A server whose files something else has put there.
pub async fn read_only(subject: Subject) {
    let store = &*subject.store;
    subject.connections.probe("subject").await.unwrap();
    let small = body(16 << 10);
    std::fs::create_dir(subject.folder.join("folder")).unwrap();
    std::fs::write(subject.folder.join("folder/small.txt"), &small).unwrap();
    for name in ["a b%20c?d#e", "ü 🦀.bin", "empty"] {
        std::fs::write(subject.folder.join(name), if name == "empty" { "" } else { name }).unwrap();
    }
    for name in ["a b%20c?d#e", "ü 🦀.bin"] {
        assert_eq!(read(store, name).await.unwrap().1, name.as_bytes());
    }
    assert_eq!(read(store, "empty").await.unwrap().1, b"");
    let (info, read_back) = read(store, "folder/small.txt").await.unwrap();
    assert!(read_back == small);
    assert!(info.etag.is_some() && info.modified.is_some(), "{info:?}");
    assert_eq!(store.stat("folder/small.txt").await.unwrap().as_ref(), Some(&info));
    ranges_are_cut(store).await;
    assert_eq!(store.stat("absent").await.unwrap(), None);
    assert_eq!(read(store, "absent").await.unwrap_err().code, "store.not_found");
    assert_eq!(read(store, "../secret").await.unwrap_err().code, "name.parent_folder");
    let refused = [
        write(store, "new", b"x").await.unwrap_err(),
        store.list("", None).await.err().unwrap(),
        store.delete("empty").await.unwrap_err(),
    ];
    for failure in refused {
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Permanent, "store.read_only"),
            "{failure}"
        );
    }
}

pub async fn bad_reading_credentials(subject: Subject) {
    let store = &*subject.store;
    for failure in [
        store.probe().await.unwrap_err(),
        store.read("a", None).await.err().unwrap(),
        store.stat("a").await.unwrap_err(),
    ] {
        assert_eq!(failure.code, "store.denied", "{failure}");
        assert!(!format!("{failure:?}").contains(BAD_SECRET));
    }
}

pub async fn bad_credentials(subject: Subject) {
    let store = &*subject.store;
    let failures = [
        store.probe().await.unwrap_err(),
        store.read("a", None).await.err().unwrap(),
        store.stat("a").await.unwrap_err(),
        write(store, "a", b"x").await.unwrap_err(),
        match store.list("", None).await {
            Ok(listing) => listing.try_collect::<Vec<_>>().await.unwrap_err(),
            Err(failure) => failure,
        },
    ];
    for failure in failures {
        assert_eq!(
            (failure.class, &*failure.code),
            (FailureClass::Denied, "store.denied"),
            "{failure}"
        );
        assert!(!format!("{failure:?}").contains(BAD_SECRET));
        assert!(failure.message.len() < 250, "no dump: {failure}");
    }
}

pub async fn absent_container(subject: Subject) {
    let store = &*subject.store;
    let mut failures = vec![store.probe().await.unwrap_err()];
    // SeaweedFS makes a bucket when somebody writes to it.
    if subject.kind != Kind::S3 {
        failures.push(write(store, "a", b"x").await.unwrap_err());
    }
    for failure in failures {
        assert_eq!(failure.code, "store.container_missing", "{failure}");
        assert_eq!(failure.class, FailureClass::Permanent);
    }
}
