use std::path::Path;

use crate::model::{ConnectionConfig, ConnectionKind};

/// Whether two connections reach the same objects: one store, and one's root within the other's.
pub(super) fn overlap(one: &ConnectionConfig, other: &ConnectionConfig) -> bool {
    use ConnectionKind::{Azblob, Azdls, Fs, Gcs, Memory, S3, Sftp, Webdav};

    match (&one.kind, &other.kind) {
        (Fs { root: one }, Fs { root: other }) => contains(one, other),
        (Memory, Memory) => one.name == other.name,
        (
            Azblob {
                container: container_one,
                endpoint: endpoint_one,
                root: root_one,
                ..
            },
            Azblob {
                container: container_other,
                endpoint: endpoint_other,
                root: root_other,
                ..
            },
        ) => container_one == container_other && endpoint_one == endpoint_other && prefixes(root_one, root_other),
        (
            S3 {
                bucket: bucket_one,
                endpoint: endpoint_one,
                root: root_one,
                ..
            },
            S3 {
                bucket: bucket_other,
                endpoint: endpoint_other,
                root: root_other,
                ..
            },
        ) => bucket_one == bucket_other && endpoint_one == endpoint_other && prefixes(root_one, root_other),
        (
            Azdls {
                filesystem: filesystem_one,
                endpoint: endpoint_one,
                root: root_one,
                ..
            },
            Azdls {
                filesystem: filesystem_other,
                endpoint: endpoint_other,
                root: root_other,
                ..
            },
        ) => filesystem_one == filesystem_other && endpoint_one == endpoint_other && prefixes(root_one, root_other),
        (
            Azblob {
                container,
                endpoint,
                root: root_one,
                ..
            },
            Azdls {
                filesystem,
                blob_endpoint,
                root: root_other,
                ..
            },
        )
        | (
            Azdls {
                filesystem,
                blob_endpoint,
                root: root_other,
                ..
            },
            Azblob {
                container,
                endpoint,
                root: root_one,
                ..
            },
        ) => container == filesystem && endpoint == blob_endpoint && prefixes(root_one, root_other),
        (
            Gcs {
                bucket: bucket_one,
                endpoint: endpoint_one,
                root: root_one,
                ..
            },
            Gcs {
                bucket: bucket_other,
                endpoint: endpoint_other,
                root: root_other,
                ..
            },
        ) => bucket_one == bucket_other && endpoint_one == endpoint_other && prefixes(root_one, root_other),
        (Webdav { endpoint: one, .. }, Webdav { endpoint: other, .. }) => contains(Path::new(one), Path::new(other)),
        (
            Sftp {
                host: host_one,
                port: port_one,
                user: user_one,
                root: root_one,
                ..
            },
            Sftp {
                host: host_other,
                port: port_other,
                user: user_other,
                root: root_other,
                ..
            },
        ) => {
            (host_one, port_one, user_one) == (host_other, port_other, user_other)
                && contains(Path::new(root_one), Path::new(root_other))
        }
        _ => false,
    }
}

fn contains(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn prefixes(one: &Option<String>, other: &Option<String>) -> bool {
    let path = |root: &Option<String>| root.as_deref().unwrap_or_default().trim_matches('/').to_owned();
    contains(Path::new(&path(one)), Path::new(&path(other)))
}
